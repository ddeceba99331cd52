"""Logs as JSON, one document a line, each with the request id and the trace id of the task that wrote it.

Our own records go straight to stdout, since a service writes one a request; those of other libraries come by
the standard library's way and look alike. Each line, whoever wrote it, loses its secrets in `write_line`,
and what a terminal would obey or hide in it becomes an escape of JSON's.
"""

import logging
import random
import sys
import threading
from collections.abc import MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson
import structlog
from opentelemetry import trace

from prodigon_lib.core.context import current_request_id, in_span
from prodigon_lib.core.redaction import OF_THIS_PROCESS, learn, redact
from prodigon_lib.core.settings import LogLevel, Settings, secret_values
from prodigon_lib.core.terminal import plain_json

REQUEST_LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z

MOST_BEGINNINGS = 1000
"""Of request lines, kept; paths with ids are without number."""

GRPC_FAULTS = {"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "DATA_LOSS"}
"""Of gRPC's statuses, those that are to it what 500 and more are to HTTP."""

Event = MutableMapping[str, Any]


class StdoutLogger:
    """Writes finished lines to whatever stdout is at that moment."""

    def msg(self, line: str) -> None:
        write_line(line)

    log = debug = info = warning = error = critical = exception = fatal = msg


class LineHandler(logging.Handler):
    """Writes the standard library's records as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:
            # The standard library would print the record itself, with all that it was given.
            where = f"{record.pathname}:{record.lineno}"
            line = to_json(
                {
                    "event": "a log record can't be written",
                    "level": "error",
                    "logger": record.name,
                    "where": where,
                    "reason": type(error).__name__,
                }
            )
        write_line(line + "\n")


class RequestLog:
    """The line of each request: as any other, without the chain of processors, which costs much more."""

    def __init__(self, service: str, settings: Settings) -> None:
        self._service = service
        self._on = settings.log_level in (LogLevel.DEBUG, LogLevel.INFO)
        self._share = settings.request_log_share
        self._lot = random.Random()
        self.beginnings: dict[tuple[str, str, int | str], str] = {}
        self._learnings = 0

    def write(self, method: str, path: str, status: int | str, seconds: float) -> None:
        """`status` is HTTP's number, or gRPC's name."""
        if not self._on or (self._share < 1 and not is_fault(status) and self._lot.random() >= self._share):
            return
        event: Event = {
            "duration_ms": round(seconds * 1000, 2),
            "event": "request",
            "level": "info",
            "timestamp": datetime.now(UTC),
            "service": self._service,
        }
        add_request(None, "", event)
        given: str = event.get("request_id", "")
        if given:
            event["request_id"] = redact(given)
        end = orjson.dumps(event, option=REQUEST_LINE).decode()
        say(self._beginning(method, path, status) + (end if given.isalnum() else plain_json(end))[1:])

    def _beginning(self, method: str, path: str, status: int | str) -> str:
        """Up to what differs from line to line. To look through it for secrets takes longer than to write it,
        so the most frequent ones are kept."""
        if self._learnings != OF_THIS_PROCESS.learnings or len(self.beginnings) >= MOST_BEGINNINGS:
            self.beginnings, self._learnings = {}, OF_THIS_PROCESS.learnings
        key = (method, path, status)
        found = self.beginnings.get(key)
        if found is None:
            line = to_json({"method": method, "path": redact(path), "status": status})
            found = self.beginnings[key] = plain_json(line)[:-1] + ","
        return found


def write_line(line: str) -> None:
    """Without its secrets, and with no character that does not print."""
    say(plain_json(redact(line)))


def say(line: str) -> None:
    """A full disk, or a reader that went away, costs the line, not the request or the loop that says it."""
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except OSError:
        pass


def is_fault(status: int | str) -> bool:
    return status in GRPC_FAULTS if isinstance(status, str) else status >= 500


def get_logger(name: str, *, service: str | None = None) -> structlog.stdlib.BoundLogger:
    """A logger; `service` says whose code writes here, which the process does not tell in the monolith."""
    whose = {"service": service} if service is not None else {}
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name, **whose)
    return logger


def configure_logging(service: str, settings: Settings) -> None:
    """Send structlog's and the standard library's records to stdout, alike.

    From here on no line has one of the settings' secrets in it. Called for each of several services in one
    process, the last one gets what says no service of its own.
    """
    learn(secret_values(settings))

    def add_service(_: Any, __: str, event: Event) -> Event:
        event.setdefault("service", service)
        return event

    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_request,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, to_line],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level.value),
        logger_factory=lambda *_: StdoutLogger(),
        cache_logger_on_first_use=True,
    )
    handler = LineHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=to_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.value)
    for noisy in ("uvicorn.access", "aiohttp.access", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):  # uvicorn brings handlers of its own
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True


def log_the_uncaught() -> None:
    """What would end this process, or one of its threads, goes to the log and not to stderr as it is.

    For a program's own start, not for whoever has a service in a process that is theirs.
    """
    logger = logging.getLogger("process")

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, Exception):
            logger.critical("uncaught error", exc_info=(kind, error, trace))
        else:
            sys.__excepthook__(kind, error, trace)

    def uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None:
            uncaught(found.exc_type, found.exc_value, found.exc_traceback)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread


def add_request(_: Any, __: str, event: Event) -> Event:
    if request_id := current_request_id.get():
        event.setdefault("request_id", request_id)
    if in_span.get() and (span := trace.get_current_span().get_span_context()).is_valid:
        event.setdefault("trace_id", f"{span.trace_id:032x}")
    return event


def to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def to_line(_: Any, __: str, event: Event) -> str:
    return to_json(event) + "\n"
