"""Reads the logs of a stack back: one record a line, whichever process wrote it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.environment import MONOLITH, SERVICES
from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.record import before

Record = dict[str, Any]

LEVELS = ("debug", "info", "warning", "error", "critical")
POSTGRES_LINE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+) UTC \[\d+\] (\w+):\s+(.*)")
REDIS_LINE = re.compile(r"\d+:[A-Z] (\d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d+) ([.\-*#]) (.*)")
REDIS_LEVELS = {".": "debug", "-": "debug", "#": "warning"}
NGINX_LINE = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) \[(\w+)\] \d+#\d+: (.*)")
NGINX_LEVELS = {"debug": "debug", "notice": "info", "info": "info", "warn": "warning", "error": "error"}
POSTGRES_LEVELS = {"WARNING": "warning", "ERROR": "error", "FATAL": "critical", "PANIC": "critical"}


def read_logs(
    folder: StackFolder,
    *,
    service: str | None = None,
    request_id: str | None = None,
    level: str | None = None,
    tail: int | None = None,
) -> list[Record]:
    """What `Stack.logs` describes. Raises StackError for a service or level that there is none of."""
    if level is not None and level.lower() not in LEVELS:
        raise StackError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    paths = sorted(path for path in folder.logs.glob("*.log") if belongs(path.stem, service))
    if service is not None and not paths:
        known = ", ".join(sorted(path.stem for path in folder.logs.glob("*.log")))
        raise StackError(f"there is no log of {service!r}; there are {known}")
    least = LEVELS.index(level.lower()) if level else 0
    found = [
        record
        for path in paths
        for record in records(path, request_id)
        if LEVELS.index(record["level"]) >= least and is_of(record, service)
    ]
    found.sort(key=lambda record: record["timestamp"])
    return found if tail is None else found[-tail:] if tail > 0 else []


def belongs(process: str, service: str | None) -> bool:
    """Whether a process is the one asked for; a service's name means all its replicas, or the monolith."""
    own = service is None or process == service or process.split("-")[0] == service
    return own or (process == MONOLITH and service in SERVICES)


def is_of(record: Record, service: str | None) -> bool:
    """Whether a record of such a process is the service's: the monolith writes for several."""
    return record["process"] != MONOLITH or service in (None, MONOLITH, record["service"])


def records(path: Path, request_id: str | None) -> Iterator[Record]:
    """The records of one process, oldest first. A line that is no record takes the time of the one before."""
    wanted = json.dumps(request_id).encode() if request_id is not None else b""
    last = ""
    for file in (before(path), path):
        if not file.is_file():
            continue
        with file.open("rb") as lines:
            for line in lines:
                if request_id is not None and wanted not in line:
                    continue
                record = parse(line.decode(errors="replace").rstrip(), path.stem, last)
                last = record["timestamp"]
                if request_id is None or record.get("request_id") == request_id:
                    yield record


def parse(line: str, process: str, last: str) -> Record:
    """One line as a record; it has at least `timestamp`, `level`, `service`, `process` and `event`."""
    found: Any = None
    if line.startswith("{"):
        try:
            found = json.loads(line)
        except ValueError:
            found = None
    if isinstance(found, dict):
        level = str(found.get("level", "info")).lower()
        return {
            "timestamp": last,
            "service": process.split("-")[0],
            "event": "",
            **found,
            "level": level if level in LEVELS else "info",
            "process": process,
        }
    level, event = "info", line
    if match := POSTGRES_LINE.match(line):
        day, time, severity, event = match.groups()
        last, level = f"{day}T{time}Z", POSTGRES_LEVELS.get(severity, "info")
    elif match := NGINX_LINE.match(line):
        year, month, day, time, severity, event = match.groups()
        last, level = f"{year}-{month}-{day}T{time}Z", NGINX_LEVELS.get(severity, "critical")
    elif match := REDIS_LINE.match(line):
        time, mark, event = match.groups()
        moment = datetime.strptime(time, "%d %b %Y %H:%M:%S.%f").replace(tzinfo=UTC)
        last = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
        level = REDIS_LEVELS.get(mark, "info")
    return {
        "timestamp": last,
        "level": level,
        "service": process.split("-")[0],
        "process": process,
        "event": event,
    }
