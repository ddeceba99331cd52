"""The contract catches what it is there for."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.demonstration.curriculum import HERE, demonstration
from tests.exercises.contract import Case, Kept, assert_holds, faults, reason_of

CURRICULUM = demonstration()
LIMITS = CURRICULUM.exercise("1.2")
UNTOUCHED = Case("untouched", LIMITS, CURRICULUM, CURRICULUM.answer(LIMITS))
SOLUTION = CURRICULUM.solution(LIMITS)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A copy of the demonstration that a test may spoil."""
    copy = tmp_path / "copy"
    shutil.copytree(HERE, copy)
    curriculum = replace(CURRICULUM, exercises=copy / "exercises", solutions=copy / "solutions")
    return Kept(curriculum, copy / "wrong_answers", copy / "right_answers")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (replace(UNTOUCHED, answer=SOLUTION), "does not fail"),
        (replace(UNTOUCHED, kind="wrong", answer=SOLUTION), "does not fail"),
        (replace(UNTOUCHED, kind="solution"), "does not pass"),
        (replace(UNTOUCHED, kind="right"), "does not pass"),
        (replace(UNTOUCHED, kind="wrong", reason="another measure"), "another reason"),
        (replace(UNTOUCHED, answer=HERE / "nothing.conf"), "could not judge"),
    ],
    ids=["untouched passes", "wrong passes", "solution fails", "right fails", "wrong reason", "no file"],
)
def test_a_broken_exercise_is_noticed(case: Case, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_holds(case)


def test_a_wrong_answer_says_why_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "name__why.py"
    path.write_text("def f(): ...\n")
    with pytest.raises(AssertionError, match="first line"):
        reason_of(path)


def test_too_few_kept_answers_are_noticed(kept: Kept) -> None:
    (kept.wrong / "01_demonstration" / "distinct__set.py").unlink()
    (kept.right / "01_demonstration" / "distinct__seen.py").unlink()
    assert faults(kept) == ["1.3: 1 wrong answers kept, not 2 or more", "1.3: no other right answer kept"]


def test_a_kept_answer_of_no_exercise_is_noticed(kept: Kept) -> None:
    stray = kept.wrong / "01_demonstration" / "renamed__why.py"
    stray.write_text("# fails: x\n")
    assert faults(kept) == [f"{stray}: of no exercise"]


def test_a_solution_without_gaps_is_noticed(kept: Kept) -> None:
    path = kept.curriculum.solution(LIMITS)
    path.write_text("client_max_body_size 8m;\n")
    assert faults(kept) == ["1.2: limits.conf: 0 gaps; an exercise has one to 3"]


def test_a_second_todo_is_noticed(kept: Kept) -> None:
    path = kept.curriculum.solution(LIMITS)
    path.write_text("# TODO\n" + path.read_text())
    assert faults(kept) == ["1.2: 2 TODO for 1 gaps", "1.2: the solution has a TODO in it"]
