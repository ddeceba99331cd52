"""A learner's desk on a copy of the demonstration."""

from pathlib import Path

import pytest

from prodigon_lib.workshop.curriculum import Curriculum
from prodigon_lib.workshop.desk import Desk
from tests.demonstration.curriculum import demonstration


@pytest.fixture
def curriculum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Curriculum:
    """The demonstration, its exercises free to edit; what `check("1.1")` finds, too."""
    copy = demonstration(tmp_path / "exercises")
    monkeypatch.setattr(Curriculum, "default", lambda: copy)
    monkeypatch.delenv("PRODIGON_EXERCISES", raising=False)
    return copy


@pytest.fixture
def desk(curriculum: Curriculum) -> Desk:
    return Desk(curriculum)


def solve(desk: Desk, number: str) -> None:
    """Write the reference into the learner's file."""
    exercise = desk.curriculum.exercise(number)
    reference = desk.curriculum.solution(exercise).read_text()
    desk.curriculum.answer(exercise).write_text(reference)
