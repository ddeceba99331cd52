"""Spans as rows, and log lines in the spans that they were written in."""

from datetime import UTC, datetime
from typing import Any

from prodigon_lib.stack.traces import Span
from prodigon_lib.widgets.trace.desk import is_work
from prodigon_lib.widgets.trace.waterfall import waterfall

BEGAN = 1_700_000_000 * 10**9


def span(id: str, service: str, start: int, end: int, *children: Span, status: str = "UNSET") -> Span:
    """Times in milliseconds."""
    began, ended = BEGAN + start * 10**6, BEGAN + end * 10**6
    return Span("t", id, None, f"does {id}", service, began, ended, status, {"n": 1}, tuple(children))


def record(service: str, at: int, event: str) -> dict[str, Any]:
    when = datetime.fromtimestamp(BEGAN / 1e9 + at / 1e3, UTC).isoformat().replace("+00:00", "Z")
    return {
        "timestamp": when,
        "level": "info",
        "service": service,
        "process": service,
        "event": event,
        "x": 2,
    }


INNER = span("c", "model", 30, 80, status="ERROR")
MIDDLE = span("b", "gateway", 20, 90, INNER)
OUTER = span("a", "gateway", 0, 100, MIDDLE)


def test_rows_have_their_place_and_depth() -> None:
    rows = waterfall([OUTER, MIDDLE, INNER], [])
    assert [(row["id"], row["depth"], row["start"], row["ms"]) for row in rows] == [
        ("a", 0, 0.0, 100.0),
        ("b", 1, 20.0, 70.0),
        ("c", 2, 30.0, 50.0),
    ]
    assert [row["failed"] for row in rows] == [False, False, True]
    assert rows[0]["self"] == 30.0
    assert rows[0]["attributes"] == {"n": "1"}


def test_a_line_is_in_the_innermost_span_of_its_service() -> None:
    written = [record("gateway", 10, "early"), record("gateway", 50, "deep"), record("model", 50, "model's")]
    found = waterfall([OUTER, MIDDLE, INNER], written)
    assert [[line["event"] for line in row["logs"]] for row in found] == [["early"], ["deep"], ["model's"]]
    assert found[0]["logs"][0]["more"] == "x=2"
    assert round(found[0]["logs"][0]["at"]) == 10


def test_a_line_after_the_end_is_in_the_last_span_of_its_service() -> None:
    found = waterfall(
        [OUTER, MIDDLE, INNER], [record("gateway", 101, "request"), record("worker", 5, "other")]
    )
    assert [len(row["logs"]) for row in found] == [1, 0, 0]


def test_a_trace_without_spans_has_no_rows() -> None:
    assert waterfall([], [record("gateway", 1, "alone")]) == []


def test_a_request_that_reads_is_not_followed() -> None:
    asked = {**record("gateway", 1, "request"), "method": "POST", "request_id": "r"}
    assert is_work(asked)
    assert not is_work({**asked, "method": "GET"})
    assert not is_work({**asked, "process": "model", "service": "model"})
    assert not is_work({**asked, "event": "started"})
