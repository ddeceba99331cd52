"""Spans are read back as a tree, once none is missing."""

import json
from pathlib import Path

import pytest

from prodigon_lib.stack.folder import StackFolder, stack_folder
from prodigon_lib.stack.traces import is_whole, read_trace


def span(
    name: str, service: str, span_id: str, parent: str | None, start: int, end: int, **attributes: object
) -> dict:
    attributes.setdefault("request_id", "r-1")
    return {
        "trace_id": "t1",
        "span_id": span_id,
        "parent_id": parent,
        "name": name,
        "service": service,
        "start_ns": start,
        "end_ns": end,
        "status": attributes.pop("status", "UNSET"),
        "attributes": attributes,
    }


ENTRY = span("POST /api/v1/generate", "gateway", "a", None, 0, 10_000_000)
CALL = span("call model", "gateway", "b", "a", 1_000_000, 9_000_000, **{"peer.service": "model"})
SERVED = span("POST /inference", "model", "c", "b", 2_000_000, 8_000_000)


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    found = stack_folder("tour", tmp_path)
    found.traces.mkdir(parents=True)
    return found


def write(folder: StackFolder, process: str, *spans: dict) -> None:
    folder.trace(process).write_text("".join(json.dumps(each) + "\n" for each in spans))


def test_callers_come_before_what_they_called(folder: StackFolder) -> None:
    other = {**ENTRY, "trace_id": "t2", "attributes": {"request_id": "r-2"}}
    write(folder, "model", SERVED)
    write(folder, "gateway", CALL, other, ENTRY)
    spans = read_trace(folder, "r-1", timeout=0)
    assert [each.span_id for each in spans] == ["a", "b", "c"]
    assert [each.span_id for each in spans[0].walk()] == ["a", "b", "c"]
    assert [each.duration_ms for each in spans] == [10, 8, 6]
    assert [each.self_ms for each in spans] == [2, 2, 6]


def test_a_request_that_nobody_served_has_no_spans(folder: StackFolder) -> None:
    assert read_trace(folder, "r-9", timeout=0) == []


def test_a_half_written_line_is_left_for_later(folder: StackFolder) -> None:
    write(folder, "gateway", ENTRY)
    with folder.trace("gateway").open("a") as file:
        file.write(json.dumps(CALL)[:40])
    assert len(read_trace(folder, "r-1", timeout=0)) == 1


@pytest.mark.parametrize(
    ("spans", "whole"),
    [
        ([ENTRY, CALL, SERVED], True),
        ([CALL, SERVED], False),
        ([{**ENTRY, "parent_id": "client"}, CALL, SERVED], True),
        ([SERVED, ENTRY], False),
        ([ENTRY, CALL], False),
        ([ENTRY, {**CALL, "status": "ERROR"}], True),
    ],
)
def test_when_a_trace_is_whole(spans: list[dict], whole: bool) -> None:
    assert is_whole(spans) is whole
