"""A save is one change, however an editor writes it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from prodigon_lib.workshop.watching import changes


class Script(threading.Event):
    """Does the next thing at each look, and stops when there is none."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self._steps = list(steps)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._steps:
            return True
        self._steps.pop(0)()
        return False


def nothing() -> None:
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "exercise.py"
    file.write_text("x = 1\n")
    os.utime(file, (1, 1))
    return file


def seen(path: Path, *steps: Callable[[], object]) -> list[set[Path]]:
    return list(changes([path], stop=Script(*steps)))


def test_nothing_is_said_while_nothing_changes(path: Path) -> None:
    assert seen(path, nothing, nothing, nothing) == []


def test_a_change_is_said_once_when_it_has_settled(path: Path) -> None:
    assert seen(path, lambda: path.write_text("x = 2\n"), nothing, nothing, nothing) == [{path}]


def test_a_save_in_two_writes_is_one_change(path: Path) -> None:
    def more() -> None:
        path.write_text("x = 2\ny = 3\n")
        os.utime(path, (5, 5))

    assert seen(path, lambda: path.write_text("x = 2\n"), more, nothing, nothing) == [{path}]


def test_a_file_renamed_into_place_is_a_change(path: Path) -> None:
    draft = path.with_name("draft")
    draft.write_text("x = 9\n")
    assert seen(path, path.unlink, nothing, lambda: draft.replace(path), nothing, nothing) == [{path}]


def test_a_file_that_comes_back_as_it_was_is_no_change(path: Path) -> None:
    away = path.with_name("away")
    assert seen(path, lambda: path.rename(away), nothing, lambda: away.rename(path), nothing) == []
