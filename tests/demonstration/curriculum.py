"""The demonstration's curriculum, on its own exercises or on a copy that a test may edit."""

import shutil
from pathlib import Path

from prodigon_lib.workshop.curriculum import Curriculum

HERE = Path(__file__).parent


def demonstration(exercises: Path | None = None) -> Curriculum:
    """With the learner's files in `exercises`, which is filled when it is not there."""
    if exercises is not None and not exercises.exists():
        shutil.copytree(HERE / "exercises", exercises, ignore=shutil.ignore_patterns("__pycache__"))
    return Curriculum(
        "tests.demonstration.lessons", HERE / "lessons", exercises or HERE / "exercises", HERE / "solutions"
    )
