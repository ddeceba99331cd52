"""Every exercise keeps the contract: the demonstration's, and those of all lessons."""

from pathlib import Path

import pytest

from prodigon_lib.workshop.curriculum import Curriculum
from tests.demonstration.curriculum import HERE, demonstration
from tests.exercises.contract import Case, Kept, assert_holds, cases, faults

TESTS = Path(__file__).parents[1]
DEMONSTRATION = Kept(demonstration(), HERE / "wrong_answers", HERE / "right_answers")
LESSONS = Kept(Curriculum.default(), TESTS / "wrong_answers", TESTS / "right_answers")
CASES = [*cases(DEMONSTRATION), *cases(LESSONS)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_check_judges_each_answer_rightly(case: Case) -> None:
    assert_holds(case)


@pytest.mark.parametrize("kept", [DEMONSTRATION, LESSONS], ids=["demonstration", "lessons"])
def test_each_exercise_is_whole(kept: Kept) -> None:
    assert faults(kept) == []
