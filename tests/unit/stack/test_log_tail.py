"""Reading on in the logs of a stack."""

import json
from pathlib import Path

import pytest

from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.log_tail import WHOLE, LogTail, selects


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    made = StackFolder(tmp_path, "tail")
    made.logs.mkdir(parents=True)
    return made


def write(folder: StackFolder, process: str, *events: str, **fields: str) -> None:
    with folder.log(process).open("a") as file:
        for place, event in enumerate(events):
            when = f"2026-01-01T00:00:{place:02}Z"
            file.write(json.dumps({"timestamp": when, "level": "info", "event": event, **fields}) + "\n")


def events(tail: LogTail) -> list[str]:
    return [record["event"] for record in tail.read()]


def test_each_read_gives_what_is_new(folder: StackFolder) -> None:
    write(folder, "gateway", "before")
    tail = LogTail(folder)
    assert events(tail) == []
    write(folder, "gateway", "one", "two")
    write(folder, "worker", "a process that is new")
    assert sorted(events(tail)) == ["a process that is new", "one", "two"]
    assert events(tail) == []


def test_it_may_begin_a_little_before(folder: StackFolder) -> None:
    write(folder, "gateway", *(f"event {number}" for number in range(50)))
    found = events(LogTail(folder, back=500))
    assert found[-1] == "event 49"
    assert 1 < len(found) < 10
    assert len(events(LogTail(folder, back=WHOLE))) == 50


def test_half_a_line_waits_for_its_other_half(folder: StackFolder) -> None:
    tail = LogTail(folder)
    line = json.dumps({"timestamp": "2026-01-01T00:00:00Z", "event": "whole"})
    folder.log("gateway").write_text(line[:20])
    assert events(tail) == []
    with folder.log("gateway").open("a") as file:
        file.write(line[20:] + "\n")
    assert events(tail) == ["whole"]


def test_a_log_that_was_moved_aside_is_read_from_its_new_beginning(folder: StackFolder) -> None:
    write(folder, "gateway", *(f"event {number}" for number in range(20)))
    tail = LogTail(folder)
    folder.log("gateway").write_text("")
    write(folder, "gateway", "anew")
    assert events(tail) == ["anew"]


def test_filters_choose_as_those_of_the_stacks_logs_do(folder: StackFolder) -> None:
    write(folder, "worker-2", "mine", request_id="r1")
    write(folder, "gateway", "other", request_id="r2")
    records = LogTail(folder, back=WHOLE).read()

    def chosen(**filters: str | None) -> list[str]:
        every = {"service": None, "level": None, "request_id": None, **filters}
        return [record["event"] for record in records if selects(record, **every)]

    assert chosen(service="worker") == ["mine"]
    assert chosen(request_id="r2") == ["other"]
    assert chosen(level="warning") == []
    assert len(chosen(level="info")) == 2
