"""Traces: OpenTelemetry spans, sent over OTLP where the setting says, else kept in a file per service.

The kept form is one JSON document a line: `trace_id`, `span_id`, `parent_id` (hex), `name`, `service`,
`start_ns`, `end_ns` (Unix time), `status`, `attributes`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span as Span
from opentelemetry.trace import SpanKind as SpanKind
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes, AttributeValue

from prodigon_lib.core.context import current_request_id, in_span
from prodigon_lib.core.redaction import redact
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.version import library_version

PROPAGATOR = TraceContextTextMapPropagator()
TRACEPARENT = "traceparent"
EXPORT_EVERY_MS = 200
EXPORT_SECONDS = 3
"""A collector that is away holds up a shutdown no longer than this."""


class FileExporter(SpanExporter):
    """Appends finished spans to a file; one process writes to one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = b"".join(orjson.dumps(span_document(span), default=str) + b"\n" for span in spans)
        try:
            with self._path.open("ab") as file:
                file.write(lines)
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def span_document(span: ReadableSpan) -> dict[str, object]:
    own = span.get_span_context()
    assert own is not None
    return {
        "trace_id": f"{own.trace_id:032x}",
        "span_id": f"{own.span_id:016x}",
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "service": span.resource.attributes.get("service.name"),
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
    }


class RedactingExporter(SpanExporter):
    """Takes the secrets out of spans, on their way to another exporter: of attributes and what was raised."""

    def __init__(self, behind: SpanExporter) -> None:
        self._behind = behind

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._behind.export([without_secrets(span) for span in spans])

    def shutdown(self) -> None:
        self._behind.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._behind.force_flush(timeout_millis)


def without_secrets(span: ReadableSpan) -> ReadableSpan:
    """A copy; a finished span can't be changed."""
    events = [Event(redact(event.name), clean(event.attributes), event.timestamp) for event in span.events]
    said = span.status.description
    return ReadableSpan(
        name=redact(span.name),
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=clean(span.attributes),
        events=events,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, redact(said) if said else said),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def clean(attributes: Attributes) -> dict[str, AttributeValue]:
    return {name: clean_value(value) for name, value in (attributes or {}).items()}


def clean_value(value: AttributeValue) -> AttributeValue:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Sequence):
        return [redact(item) if isinstance(item, str) else item for item in value]
    return value


class Telemetry:
    """The tracer of one service. Made once by its composition root, shut down with it.

    Without an endpoint and without a file nothing listens, and a span costs next to nothing.
    """

    def __init__(self, service: str, settings: Settings, *, beside: "Telemetry | None" = None) -> None:
        """`beside` is another service's in this process: spans of both are written in the order they ended.

        So a reader who finds a caller's span finds those of what it called.
        """
        self.service = service
        self._processor: BatchSpanProcessor | None = (
            beside._processor if beside is not None else self._own_processor(settings)
        )
        self._owns = beside is None
        self._provider: TracerProvider | None = None
        if self._processor is not None:
            resource = Resource.create({"service.name": service, "service.version": library_version()})
            self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._provider.add_span_processor(self._processor)
        self.tracer = (
            self._provider.get_tracer("prodigon")
            if self._provider
            else trace.NoOpTracerProvider().get_tracer("prodigon")
        )

    @property
    def recording(self) -> bool:
        """Whether spans go anywhere."""
        return self._provider is not None

    @classmethod
    def _own_processor(cls, settings: Settings) -> BatchSpanProcessor | None:
        exporter = cls._exporter(settings)
        if exporter is None:
            return None
        return BatchSpanProcessor(RedactingExporter(exporter), schedule_delay_millis=EXPORT_EVERY_MS)

    @staticmethod
    def _exporter(settings: Settings) -> SpanExporter | None:
        if settings.otel_exporter_otlp_endpoint:
            # Imported only when on: it costs memory that an idle service should not pay.
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            base = settings.otel_exporter_otlp_endpoint.rstrip("/")
            return OTLPSpanExporter(endpoint=f"{base}/v1/traces", timeout=EXPORT_SECONDS)
        return FileExporter(Path(settings.trace_file)) if settings.trace_file else None

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        headers: Mapping[str, str] | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> Iterator[Span]:
        """A span around the block; `headers` holds the caller's `traceparent`, when there is one.

        The span gets the attribute `request_id`, so that a trace is found by it.
        """
        if self._provider is None and (headers is None or TRACEPARENT not in headers):
            yield trace.INVALID_SPAN
            return
        parent = PROPAGATOR.extract(headers) if headers is not None else None
        before = in_span.set(True)
        try:
            with self.tracer.start_as_current_span(
                name, context=parent, kind=kind, attributes=attributes
            ) as span:
                if request_id := current_request_id.get():
                    span.set_attribute("request_id", request_id)
                yield span
        finally:
            in_span.reset(before)

    @contextmanager
    def outgoing(self, name: str, attributes: Mapping[str, AttributeValue]) -> Iterator[Span]:
        """A span around a call to another service, not made current.

        A stream's generator may be closed from another task, where a context that was entered here could not
        be left.
        """
        span = self.outgoing_span(name, attributes)
        try:
            yield span
        finally:
            span.end()

    def outgoing_span(self, name: str, attributes: Mapping[str, AttributeValue]) -> Span:
        """The span of `outgoing`, for a caller that ends it itself."""
        if self._provider is None:  # nothing is recorded, and the caller's trace is joined all the same
            if not in_span.get():
                return trace.INVALID_SPAN
            return trace.NonRecordingSpan(trace.get_current_span().get_span_context())
        span = self.tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        if request_id := current_request_id.get():
            span.set_attribute("request_id", request_id)
        return span

    def shutdown(self) -> None:
        """Send what is still held; bounded by the exporter's own timeout. What is shared, its owner shuts."""
        if self._provider is not None and self._owns:
            self._provider.shutdown()


def inject_trace(headers: dict[str, str], span: Span | None = None) -> dict[str, str]:
    """Add the `traceparent` of `span`, by default the running one, to the headers of an outgoing call."""
    span = span or trace.get_current_span()
    if span.get_span_context().is_valid:
        PROPAGATOR.inject(headers, trace.set_span_in_context(span))
    return headers


def mark_failed(span: Span, message: str) -> None:
    span.set_status(Status(StatusCode.ERROR, message))
