"""Exercise 6.2's look at the machine: where a right answer is as late, nobody is judged."""

from pathlib import Path

import pytest

from prodigon_lib.workshop.checks import Attempt, Noisy
from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.exercise_2_unblock import (
    UnblockCheck,
    passages_for,
)

SHORT = 0.02


@pytest.fixture
def check(tmp_path: Path) -> UnblockCheck:
    made = UnblockCheck()
    made.attempt = Attempt(tmp_path / "unblock.py", 1, tmp_path)
    made.passages = passages_for(SHORT)
    return made


async def test_a_machine_on_which_a_right_answer_is_late_judges_nobody(check: UnblockCheck) -> None:
    with pytest.raises(Noisy, match="in threads"):
        await check.look_at_machine(was=1e-6)


async def test_a_machine_on_which_it_is_not_is_no_excuse(check: UnblockCheck) -> None:
    await check.look_at_machine(was=60_000)
