"""The checks of exercises 5.1 and 5.3 on a busy machine: what it did is not taken for the answer's fault."""

import random
from collections.abc import Callable, Iterable

import pytest

from prodigon_lib.workshop.checks import Findings, Noisy
from prodigon_lib.workshop.checks.findings import Unmet
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.builds import Program
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.exercise_1_find_it import told
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.exercise_3_guard import (
    Machine,
    Trial,
    ask_again,
    judge,
)
from prodigon_lib.workshop.table import Table


class Scripted(Program):
    """A program whose wait takes these parts of its runs, one after the other."""

    def __init__(self, *shares: float) -> None:
        super().__init__("waits", "def entry(): pass", "entry", "entry", 0.6)
        self.left, self.now = list(shares), 0.0

    def run(self) -> None:
        self.now = self.left.pop(0)

    @property
    def share(self) -> float:
        return self.now


def slowest(run: Callable[[], object]) -> str:
    run()
    return "answer"


def test_a_steady_run_counts_at_once() -> None:
    program = Scripted(0.58, 0.1)
    assert told(slowest, program) == "answer"
    assert program.left == [0.1]


def test_another_run_is_taken_when_one_was_disturbed() -> None:
    program = Scripted(0.3, 0.5, 0.1)
    assert told(slowest, program) == "answer"
    assert program.left == [0.1]


def test_a_busy_machine_judges_nobody() -> None:
    with pytest.raises(Noisy, match="took of the run 80%"):
        told(slowest, Scripted(0.3, 0.3, 0.3, 0.2))


def test_a_profiler_that_slows_the_rest_is_judged() -> None:
    assert told(slowest, Scripted(0.3, 0.3, 0.3, 0.58)) == "answer"


RIGHT = {"good": 0, "cheaper": 0, "queries": 20, "Python code": 20, "C code": 20}


@pytest.mark.parametrize(
    ("called", "told_first"),
    [
        ({"queries": 0}, "dearer in queries"),
        ({"queries": 0, "good": 1}, "dearer in queries"),
        ({"good": 4, "C code": 12}, "the good build"),
        ({"good": 1}, "the good build"),
        ({"good": 2, "C code": 9}, "the good build"),
        ({"good": 20, "cheaper": 20}, "the good build"),
    ],
)
def test_the_guard_is_told_first_what_is_wrong_each_time(called: dict[str, int], told_first: str) -> None:
    findings = Findings()
    with pytest.raises(Unmet):
        judge(findings, RIGHT | called, Table(["candidate"], []))
    assert told_first in findings.found[-1].what


def test_a_guard_that_gets_nothing_wrong_meets_all() -> None:
    findings = Findings()
    judge(findings, RIGHT, Table(["candidate"], []))
    assert len(findings.found) == len(RIGHT)


class Answered(Trial):
    """Shown a second time, the good build is called dearer so often, and others as they are to be."""

    def __init__(self, alarms: int, noise: float) -> None:
        super().__init__(lambda *_: False, Machine(random.Random(0)))
        self.alarms = alarms
        self.machine.usual = [1.0] * 10 + [1.0 + noise] * 20

    def called_dearer(self, times: int, names: Iterable[str] = ()) -> dict[str, int]:
        return {name: self.alarms if name == "good" else times for name in names}


def test_wrong_verdicts_that_do_not_come_again_judge_nobody() -> None:
    with pytest.raises(Noisy):
        ask_again(Answered(0, noise=0.0), ["good", "C code"])


def test_those_that_come_again_are_judged_on_a_steady_machine_alone() -> None:
    ask_again(Answered(1, noise=0.0), ["good"])
    with pytest.raises(Noisy):
        ask_again(Answered(1, noise=0.5), ["good"])


def test_as_many_are_shown_as_are_asked_for() -> None:
    trial = Trial(lambda candidate, reference: candidate() > reference(), Machine(random.Random(0)))
    assert trial.called_dearer(3, ["good", "queries"]) == {"good": 0, "queries": 3}
    assert len(trial.seconds) == 6
