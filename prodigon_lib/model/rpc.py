"""What surrounds each gRPC call: request id, span, log line, figures, and an error's way out."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from grpc import StatusCode, aio
from prometheus_client import Counter, Gauge, Histogram

from prodigon_lib.core.context import REQUEST_ID_HEADER, current_request_id
from prodigon_lib.core.deadline import current_deadline
from prodigon_lib.core.errors import InternalError, ProdigonError
from prodigon_lib.core.http.admission import SERVICE_HEADER
from prodigon_lib.core.http.application import Service
from prodigon_lib.core.http.middleware import usable_request_id
from prodigon_lib.core.http.turns import too_many
from prodigon_lib.core.ids import request_ids
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.request_figures import LATENCY_BUCKETS
from prodigon_lib.core.telemetry import Span, SpanKind, mark_failed
from prodigon_lib.transport.grpc_status import code_for, details_of

if TYPE_CHECKING:
    from prodigon_lib.security.service_tokens import KnownServices

logger = get_logger("grpc", service="model")

REQUEST_ID, SERVICE = REQUEST_ID_HEADER.lower(), SERVICE_HEADER.lower()
Context = aio.ServicerContext[Any, Any]
OURS = {StatusCode.INTERNAL, StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.UNKNOWN}
"""Statuses that make a span an error: a caller's own mistake does not, as with HTTP's 4xx."""


class Rpcs:
    """The figures of a service's gRPC calls, in the service's own registry, and what each call is run in."""

    def __init__(self, service: Service, full_name: str, known: "KnownServices | None" = None) -> None:
        """`known` says whose calls are taken; without it, everybody's."""
        self._service, self._known = service, known
        self._name = full_name
        self._running = 0
        registry, name = service.metrics.registry, service.name
        self._calls = Counter(
            "prodigon_grpc_requests_total",
            "Calls answered, by the status's name.",
            ("service", "method", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "prodigon_grpc_request_seconds",
            "Time of a call, from its message to its status.",
            ("service", "method"),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._ids = request_ids()
        self._in_flight = Gauge(
            "prodigon_grpc_requests_in_flight", "Calls being answered now.", ("service",), registry=registry
        ).labels(name)

    @asynccontextmanager
    async def serve(self, context: Context, method: str) -> AsyncIterator[Mapping[str, str]]:
        """Run a call in the block, which gets the caller's metadata; an error becomes the call's status.

        A caller that leaves, or whose deadline passes, cancels the block, as gRPC cancels its task. What the
        block calls is bounded by the same deadline, through `current_deadline`.
        """
        metadata = {
            name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)
        }
        request_id = usable_request_id(metadata.get(REQUEST_ID)) or next(self._ids)
        token = current_request_id.set(request_id)
        left = context.time_remaining()
        until = current_deadline.set(None if left is None else time.monotonic() + left)
        path = f"/{self._name}/{method}"
        attributes = {"rpc.system": "grpc", "rpc.service": self._name, "rpc.method": method}
        try:
            with self._service.telemetry.span(
                path, kind=SpanKind.SERVER, headers=metadata, attributes=attributes
            ) as span:
                async with self._counted(context, method, path, span):
                    if self._known is not None:
                        self._known.caller(metadata.get(SERVICE))
                    yield metadata
        finally:
            current_deadline.reset(until)
            current_request_id.reset(token)

    @asynccontextmanager
    async def _counted(self, context: Context, method: str, path: str, span: Span) -> AsyncIterator[None]:
        started = time.perf_counter()
        code = StatusCode.OK
        self._in_flight.inc()
        self._running += 1
        try:
            if self._running > self._service.settings.max_in_flight:
                raise too_many()
            yield
        except asyncio.CancelledError:
            left = context.time_remaining()
            code = StatusCode.CANCELLED if left is None or left > 0 else StatusCode.DEADLINE_EXCEEDED
            raise
        except Exception as error:
            problem = (
                error if isinstance(error, ProdigonError) else InternalError("something went wrong here")
            )
            if not isinstance(error, ProdigonError):
                logger.exception("unhandled error", path=path)
            code = code_for(problem)
            request_id = current_request_id.get() or ""
            await context.abort(code, problem.message, details_of(problem, request_id))
        finally:
            seconds = time.perf_counter() - started
            span.set_attribute("rpc.grpc.status_code", int(code.value[0]))
            if code in OURS:
                mark_failed(span, f"answered {code.name}")
            self._in_flight.dec()
            self._running -= 1
            name = self._service.name
            self._calls.labels(name, method, code.name).inc()
            self._seconds.labels(name, method).observe(seconds)
            self._service.log.write("GRPC", path, code.name, seconds)
