"""Logs are read back as records, whichever process wrote them."""

import json
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.folder import StackFolder, stack_folder
from prodigon_lib.stack.logs import read_logs
from prodigon_lib.stack.record import before, trim_log


def line(second: int, event: str, **fields: object) -> str:
    stamp = f"2026-01-01T00:00:{second:02}.000000Z"
    return json.dumps({"timestamp": stamp, "level": "info", "event": event, **fields}) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    found = stack_folder("tour", tmp_path)
    found.logs.mkdir(parents=True)
    found.log("gateway").write_text(
        line(1, "request", service="gateway", request_id="r-1") + line(4, "request", request_id="r-2")
    )
    found.log("worker-2").write_text(
        line(2, "claimed", service="worker", request_id="r-1", level="warning")
        + "Traceback (most recent call last):\n"
        + line(3, "mentions r-1 only")
    )
    found.log("postgres").write_text(
        "2026-01-01 00:00:05.123 UTC [12] ERROR:  deadlock detected\n"
        "2026-01-01 00:00:06.123 UTC [12] LOG:  checkpoint starting\n"
    )
    return found


def test_records_of_all_processes_in_order(folder: StackFolder) -> None:
    events = [record["event"] for record in read_logs(folder)]
    assert events == [
        "request",
        "claimed",
        "Traceback (most recent call last):",
        "mentions r-1 only",
        "request",
        "deadlock detected",
        "checkpoint starting",
    ]


def test_one_request_across_services(folder: StackFolder) -> None:
    found = read_logs(folder, request_id="r-1")
    assert [(record["service"], record["process"]) for record in found] == [
        ("gateway", "gateway"),
        ("worker", "worker-2"),
    ]


@pytest.mark.parametrize(("service", "count"), [("worker", 3), ("worker-2", 3), ("gateway", 2)])
def test_one_service(folder: StackFolder, service: str, count: int) -> None:
    assert len(read_logs(folder, service=service)) == count


def test_only_what_is_severe(folder: StackFolder) -> None:
    assert [record["event"] for record in read_logs(folder, level="warning")] == [
        "claimed",
        "deadlock detected",
    ]


def test_only_the_newest(folder: StackFolder) -> None:
    assert [record["event"] for record in read_logs(folder, tail=1)] == ["checkpoint starting"]
    assert read_logs(folder, tail=0) == []


@pytest.mark.parametrize("wish", [{"service": "nginx"}, {"level": "loud"}])
def test_what_there_is_none_of_is_named(folder: StackFolder, wish: dict) -> None:
    with pytest.raises(StackError, match=next(iter(wish.values()))):
        read_logs(folder, **wish)


def test_a_log_that_grew_too_large_is_set_aside_and_still_read(folder: StackFolder) -> None:
    path = folder.log("gateway")
    with path.open("a") as writer:
        trim_log(path, largest=10)
        writer.write(line(9, "after", service="gateway"))
    assert before(path).is_file()
    assert [record["event"] for record in read_logs(folder, service="gateway")] == [
        "request",
        "request",
        "after",
    ]
