"""Exercise 5.1's check on a busy machine: a wait that is no longer the slow place judges nobody."""

from collections.abc import Callable

import pytest

from prodigon_lib.workshop.checks import Noisy
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.builds import Program
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.exercise_1_find_it import told


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
