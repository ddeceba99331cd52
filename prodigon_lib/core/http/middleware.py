"""Raw ASGI middleware: request id, span, log line, metrics, limits, and an answer to what nobody caught.

One class and one pass: each concern would otherwise wrap `send` again, on every token of every stream.
"""

import time
from collections.abc import Mapping
from typing import Any

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prodigon_lib.core.context import REQUEST_ID_HEADER, current_request_id
from prodigon_lib.core.deadline import DEADLINE_HEADER, current_deadline, deadline_from
from prodigon_lib.core.errors import InternalError, PayloadTooLarge, ProdigonError
from prodigon_lib.core.http.admission import Guard, RawHeaders
from prodigon_lib.core.http.errors import error_response
from prodigon_lib.core.http.hosts import TrustedHosts
from prodigon_lib.core.http.raw import RawRoute
from prodigon_lib.core.http.security_headers import security_headers
from prodigon_lib.core.http.streams import ClientDisconnected
from prodigon_lib.core.http.turns import FREELY, Turns, too_many
from prodigon_lib.core.ids import RequestId, request_ids
from prodigon_lib.core.logging import RequestLog, get_logger
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.telemetry import SpanKind, Telemetry, mark_failed

logger = get_logger("http")

QUIET = ("/health", "/metrics")
"""Asked for every second or so by probes: no span and no log line, unless they fail."""

PROBES = frozenset({"/health", "/health/live", "/health/ready"})
"""Answered without asking a guard; nothing else is."""

MAX_REQUEST_ID = 128
ID_HEADER = REQUEST_ID_HEADER.lower().encode()
TIME_HEADER = b"x-process-time"
UNTIL_HEADER = DEADLINE_HEADER.lower()
WANTED = {
    name.encode(): name
    for name in (ID_HEADER.decode(), UNTIL_HEADER, "content-length", "traceparent", "tracestate")
}


class RequestMiddleware:
    """Wraps a whole service. Sets `X-Request-ID` and `X-Process-Time` (milliseconds) on every answer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        telemetry: Telemetry,
        metrics: Metrics,
        log: RequestLog,
        max_body_bytes: int,
        max_in_flight: int,
        turn_seconds: float,
        hosts: TrustedHosts,
        guard: Guard | None = None,
    ) -> None:
        self.app = app
        self.telemetry = telemetry
        self.figures = metrics.requests
        self.log = log
        self.max_body_bytes = max_body_bytes
        self.max_in_flight = max_in_flight
        self.turns = Turns(turn_seconds)
        self.hosts = hosts
        self.guard = guard
        self._ids = request_ids()
        self._raw: dict[tuple[str, str], RawRoute] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {
            WANTED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in WANTED
        }
        request_id = usable_request_id(headers.get("x-request-id")) or next(self._ids)
        token = current_request_id.set(request_id)
        until = current_deadline.set(
            deadline_from(headers[UNTIL_HEADER]) if UNTIL_HEADER in headers else None
        )
        try:
            traced = self.telemetry.recording or "traceparent" in headers
            if not traced or scope["path"].startswith(QUIET):
                await self._serve(scope, receive, send, request_id, headers)
                return
            attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
            with self.telemetry.span(
                f"{scope['method']} {scope['path']}",
                kind=SpanKind.SERVER,
                headers=headers,
                attributes=attributes,
            ) as span:
                status = await self._serve(scope, receive, send, request_id, headers)
                if span.is_recording():
                    span.update_name(f"{scope['method']} {route_of(scope)}")
                    span.set_attribute("http.response.status_code", status)
                    if status >= 500:
                        mark_failed(span, f"answered {status}")
        finally:
            current_deadline.reset(until)
            current_request_id.reset(token)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, request_id: RequestId, headers: Mapping[str, str]
    ) -> int:
        started = time.perf_counter()
        status = 0
        path: str = scope["path"]
        quiet = path.startswith(QUIET)
        said: RawHeaders = ()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                milliseconds = f"{(time.perf_counter() - started) * 1000:.2f}"
                theirs = message.get("headers", ())
                message["headers"] = [
                    *theirs,
                    *said,
                    *security_headers(scope, theirs),
                    (ID_HEADER, request_id.encode()),
                    (TIME_HEADER, milliseconds.encode()),
                ]
            await send(message)

        self.figures.in_flight += 1
        try:
            if not quiet:
                if self.figures.in_flight > self.max_in_flight:
                    raise too_many()
                self.hosts.check(scope)  # not of probes, which call a container by its address
                if self.figures.in_flight > FREELY:
                    await self.turns.take()
            if self.guard is not None and path not in PROBES:
                admission = await self.guard(scope)
                said = admission.headers
                if admission.refusal is not None:
                    raise admission.refusal
            limited = self._limit_body(receive, headers)
            await self._route(scope)(scope, limited, send_with_headers)
        except ClientDisconnected:
            pass  # nobody is left to answer; logged and counted as 499
        except Exception as error:
            problem = (
                error if isinstance(error, ProdigonError) else InternalError("something went wrong here")
            )
            if not isinstance(error, ProdigonError):
                logger.exception("unhandled error", path=path, service=self.figures.service)
            if status == 0:
                await error_response(problem, request_id, path)(scope, receive, send_with_headers)
            else:  # the answer has begun: cut it, so that the client sees that it is not whole
                raise
        finally:
            seconds = time.perf_counter() - started
            self.figures.in_flight -= 1
            self.figures.observe(scope["method"], route_of(scope), status or 499, seconds)
            if status >= 500 or not quiet:
                self.log.write(scope["method"], path, status or 499, seconds)
        return status or 499

    def _route(self, scope: Scope) -> ASGIApp:
        """A raw route's own application, without the framework's search and layers; else the framework."""
        if self._raw is None:  # at the first request: the routes come after the middleware
            routes = [route for route in scope["app"].routes if isinstance(route, RawRoute)]
            self._raw = {(method, route.path): route for route in routes for method in route.methods or ()}
        route = self._raw.get((scope["method"], get_route_path(scope)))
        if route is None:
            return self.app
        scope["route"] = route
        return route.app

    def _limit_body(self, receive: Receive, headers: Mapping[str, str]) -> Receive:
        """Refuse a body over the limit: at once when its length is announced, else while it is read."""
        limit = self.max_body_bytes
        announced = headers.get("content-length", "")
        if announced.isdecimal():
            if int(announced) > limit:
                raise PayloadTooLarge(f"a request body may have at most {limit} bytes")
            return receive  # the server takes no more than was announced
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise PayloadTooLarge(f"a request body may have at most {limit} bytes")
            return message

        return limited


def usable_request_id(given: str | None) -> RequestId | None:
    """The caller's id when it is short, printable ASCII, and so can't forge a log line."""
    if given and len(given) <= MAX_REQUEST_ID and given.isascii() and given.isprintable():
        return RequestId(given)
    return None


def route_of(scope: Mapping[str, Any]) -> str:
    """The route's pattern and not the path, so that an id in a path makes no new time series."""
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))
