"""Spans leave over OTLP where the setting says; the collector here decodes what came."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import SpanKind, Telemetry, inject_trace, mark_failed


class Collector(ThreadingHTTPServer):
    """Keeps the spans that are posted to `/v1/traces`, by name."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.services: set[str] = set()
        self.spans: dict[str, object] = {}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {item.key: item.value.string_value for item in group.resource.attributes}
                self.server.services.add(names["service.name"])
                self.server.spans |= {span.name: span for part in group.scope_spans for span in part.spans}
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_spans_of_two_services_make_one_trace(collector: Collector) -> None:
    settings = Settings(_env_file=None, otel_exporter_otlp_endpoint=collector.endpoint)
    gateway, model = Telemetry("gateway", settings), Telemetry("model", settings)
    with gateway.span("in", kind=SpanKind.SERVER), gateway.outgoing("call model", {}) as call:
        headers = inject_trace({}, call)
        with model.span("answer", headers=headers) as answer:
            mark_failed(answer, "no tokens")
    gateway.shutdown()
    model.shutdown()
    assert collector.services == {"gateway", "model"}
    came_in, called, answered = (collector.spans[name] for name in ("in", "call model", "answer"))
    assert came_in.trace_id == called.trace_id == answered.trace_id
    assert (called.parent_span_id, answered.parent_span_id) == (came_in.span_id, called.span_id)
    assert answered.status.message == "no tokens"


def test_a_collector_that_is_away_costs_spans_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    settings = Settings(_env_file=None, otel_exporter_otlp_endpoint="http://127.0.0.1:9", trace_file=None)
    telemetry = Telemetry("gateway", settings)
    with telemetry.span("lost") as span:
        pass
    telemetry.shutdown()
    assert span.get_span_context().is_valid
