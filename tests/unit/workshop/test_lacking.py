"""The checks that need a program of the machine's say which, and how it is had."""

from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import redis
from prodigon_lib.workshop.checks import Attempt, Findings, Lacking
from prodigon_lib.workshop.checks.runner import find_check
from prodigon_lib.workshop.curriculum import Curriculum
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching import replicas
from prodigon_lib.workshop.lessons.lesson_11_secrets_management import repository


def nowhere() -> Path:
    raise StackError("there is none: install one")


@pytest.mark.parametrize(
    ("number", "what"), [("8.1", "nginx"), ("8.2", "Redis"), ("8.3", "Redis"), ("11.3", "git")]
)
async def test_a_check_says_what_it_lacks(
    number: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "find_nginx", nowhere)
    monkeypatch.setattr(redis, "find_redis", nowhere)
    monkeypatch.setattr(repository.shutil, "which", lambda _: None)
    curriculum = Curriculum.default()
    exercise = curriculum.exercise(number)
    attempt = Attempt(curriculum.solution(exercise), 1, tmp_path)
    with pytest.raises(Lacking, match="install") as caught:
        await find_check(exercise.module).run(attempt, Findings())
    assert caught.value.what == what
