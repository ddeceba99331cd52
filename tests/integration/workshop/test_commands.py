"""The learner's commands, as a terminal sees them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from prodigon_lib.cli import app
from prodigon_lib.workshop.desk import Desk
from prodigon_lib.workshop.faults import WorkshopError
from tests.integration.workshop.conftest import solve
from tests.polling import eventually_sync


def prodigon(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture(autouse=True)
def at_the_desk(desk: Desk) -> Desk:
    return desk


def test_check_exits_with_zero_when_all_passed(desk: Desk) -> None:
    assert prodigon("check", "1.2").exit_code == 1
    solve(desk, "1.2")
    passed = prodigon("check", "1.2")
    assert passed.exit_code == 0
    assert "✓ 1.2 Limits in a config file: passed" in passed.output


def test_check_of_a_lesson_counts() -> None:
    shown = prodigon("check", "1")
    assert shown.exit_code == 1
    assert shown.output.splitlines()[-1] == "0 of 3 passed"


def test_a_seed_is_taken_from_the_line() -> None:
    assert "--seed 42" in prodigon("check", "1.2", "--seed", "42").output


def test_hints_and_a_closed_solution() -> None:
    assert "hint 1 of 3" in prodigon("hint", "1.2").output
    closed = prodigon("solution", "1.2")
    assert closed.exit_code == 1
    assert "opens after a pass or 3 tries" in closed.output


def test_an_open_solution_is_a_diff(desk: Desk) -> None:
    solve(desk, "1.2")
    prodigon("check", "1.2")
    prodigon("reset", "1.2")
    shown = prodigon("solution", "1.2")
    assert shown.exit_code == 0
    assert "+client_max_body_size 8m;" in shown.output


def test_reset_asks_what(desk: Desk) -> None:
    assert isinstance(prodigon("reset").exception, WorkshopError)
    assert isinstance(prodigon("reset", "1.1", "--all").exception, WorkshopError)
    solve(desk, "1.1")
    assert "1.1 01_demonstration/fan_out.py" in prodigon("reset", "--all").output


def test_progress_for_a_program(desk: Desk) -> None:
    solve(desk, "1.2")
    prodigon("check", "1.2")
    document = json.loads(prodigon("progress", "--json").output)
    assert document["passed"] == 1
    assert document["exercises"] == 3
    (lesson,) = document["lessons"]
    assert [each["state"] for each in lesson["exercises"]] == ["untouched", "passed", "untouched"]
    assert lesson["quiz"] == {"questions": 2, "answered": 0, "right": 0}
    assert "1 of 3 exercises passed" in prodigon("progress").output


@contextmanager
def running(desk: Desk, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The command in a process of its own, and the file that has its output."""
    log = desk.curriculum.exercises.parent / "log.txt"
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    command = [
        sys.executable,
        "-m",
        "tests.demonstration.command",
        str(desk.curriculum.exercises),
        *arguments,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            yield process, log
        finally:
            process.kill()
            process.wait()


def test_watch_checks_at_each_save_until_it_is_interrupted(desk: Desk) -> None:
    with running(desk, "check", "1.2", "--watch") as (process, log):
        eventually_sync(lambda: log.read_text().count("1.2 Limits") == 1)
        answer = desk.answer(desk.curriculum.exercise("1.2"))
        answer.write_text(answer.read_text() + "client_max_body_size 9m;\n")
        eventually_sync(lambda: log.read_text().count("not yet") == 2)
        draft = answer.with_name("draft")
        draft.write_text(desk.curriculum.solution(desk.curriculum.exercise("1.2")).read_text())
        draft.replace(answer)
        eventually_sync(lambda: "1.2 Limits in a config file: passed" in log.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "Traceback" not in log.read_text()


def test_a_foreseeable_fault_is_one_line(desk: Desk) -> None:
    with running(desk, "check", "9.9") as (process, log):
        assert process.wait(20) == 1
    assert log.read_text() == "prodigon: there is no exercise 9.9; exercises: 1.1, 1.2, 1.3\n"
