"""No secret leaves in a span."""

import json
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from prodigon_lib.core import telemetry
from prodigon_lib.core.redaction import REDACTED
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import SpanKind, Telemetry, mark_failed

KEY = f"gsk_{token_hex(26)}"


def a_span_full_of(secret: str, traces: Telemetry) -> None:
    path = {"url.path": secret}
    with suppress(ValueError), traces.span(f"GET {secret}", kind=SpanKind.SERVER, attributes=path) as span:
        span.set_attributes({"tried": [secret, "other"], "status": 3})
        mark_failed(span, f"refused {secret}")
        raise ValueError(f"refused {secret}")


def test_the_file_of_spans_has_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    traces = Telemetry("demo", Settings(_env_file=None, trace_file=str(file)))
    a_span_full_of(KEY, traces)
    traces.shutdown()
    (span,) = [json.loads(line) for line in file.read_text().splitlines()]
    assert KEY not in file.read_text()
    assert span["attributes"] == {"url.path": REDACTED, "tried": [REDACTED, "other"], "status": 3}


def test_what_goes_to_a_collector_has_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was raised goes along there, with its traceback."""
    kept = InMemorySpanExporter()
    monkeypatch.setattr(telemetry, "FileExporter", lambda _: kept)
    traces = Telemetry("demo", Settings(_env_file=None, trace_file="unused"))
    a_span_full_of(KEY, traces)
    traces.shutdown()
    (span,) = kept.get_finished_spans()
    assert KEY not in everything(span)
    assert everything(span).count(REDACTED) > 4
    assert span.kind is SpanKind.SERVER
    assert span.events[0].name == "exception"


def everything(span: ReadableSpan) -> str:
    events = [(event.name, dict(event.attributes or {})) for event in span.events]
    return str((span.name, dict(span.attributes or {}), events, span.status.description))
