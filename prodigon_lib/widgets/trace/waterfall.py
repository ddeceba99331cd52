"""A trace as rows of a waterfall, each with the log lines that were written in it. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from prodigon_lib.stack.log_tail import further
from prodigon_lib.stack.traces import Span


def waterfall(spans: Sequence[Span], records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each span, callers before what they called; times in milliseconds since the first began.

    A log line belongs to the innermost span of its service that it was written in; of several as deep, to the
    latest. One that was written in none, such as after its span had ended, belongs to its service's last.
    """
    if not spans:
        return []
    began = min(span.start_ns for span in spans)
    placed = list(in_order(spans))
    lines: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        if (owner := owner_of(record, placed)) is not None:
            lines.setdefault(owner.span_id, []).append(line_of(record, began))
    return [
        {
            "id": span.span_id,
            "depth": depth,
            "service": span.service,
            "name": span.name,
            "start": (span.start_ns - began) / 1e6,
            "ms": span.duration_ms,
            "self": span.self_ms,
            "failed": span.status == "ERROR",
            "attributes": {name: str(value) for name, value in span.attributes.items()},
            "logs": lines.get(span.span_id, []),
        }
        for span, depth in placed
    ]


def in_order(spans: Sequence[Span]) -> Iterator[tuple[Span, int]]:
    """Each span with how deep it lies; `spans` has callers before what they called."""
    called = {child.span_id for span in spans for child in span.children}

    def below(span: Span, depth: int) -> Iterator[tuple[Span, int]]:
        yield span, depth
        for child in span.children:
            yield from below(child, depth + 1)

    for span in spans:
        if span.span_id not in called:
            yield from below(span, 0)


def owner_of(record: Mapping[str, Any], placed: Sequence[tuple[Span, int]]) -> Span | None:
    of_service = [(span, depth) for span, depth in placed if span.service == record["service"]]
    at = nanoseconds(str(record["timestamp"]))
    around = [(span, depth) for span, depth in of_service if span.start_ns <= at <= span.end_ns]
    if around:
        return max(around, key=lambda each: (each[1], each[0].start_ns))[0]
    return max(of_service, key=lambda each: each[0].end_ns)[0] if of_service else None


def line_of(record: Mapping[str, Any], began: int) -> dict[str, Any]:
    words = [f"{name}={value}" for name, value in further(dict(record)).items()]
    return {
        "at": (nanoseconds(str(record["timestamp"])) - began) / 1e6,
        "level": record["level"],
        "event": record["event"],
        "more": " ".join(words),
    }


def nanoseconds(timestamp: str) -> int:
    """Of ISO 8601 in UTC, since 1970; 0 where a line had no time of its own."""
    try:
        when = datetime.fromisoformat(timestamp)
    except ValueError:
        return 0
    return round(when.timestamp() * 1e6) * 1000
