"""Exercises are what their solutions generate; what differs is found and mended."""

from pathlib import Path

import pytest

from prodigon_lib.workshop.backups import Backups
from prodigon_lib.workshop.generate import drifts, main, write
from tests.demonstration.curriculum import HERE

ROOT = Path(__file__).parents[4]
SOLUTION = "def f():\n    # <gap> Say one.\n    return 1\n    # </gap>\n"
EXERCISE = "def f():\n    # TODO Say one.\n    raise NotImplementedError\n"


@pytest.mark.parametrize("root", [ROOT, HERE], ids=["lessons", "demonstration"])
def test_no_exercise_has_drifted_from_its_solution(root: Path) -> None:
    assert list(drifts(root / "solutions", root / "exercises")) == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "solutions" / "01_topic").mkdir(parents=True)
    (tmp_path / "exercises" / "01_topic").mkdir(parents=True)
    (tmp_path / "solutions" / "01_topic" / "name.py").write_text(SOLUTION)
    return tmp_path


def test_a_missing_exercise_is_written(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], root) == 1
    assert "missing, and there is its solution" in capsys.readouterr().out
    assert main([], root) == 0
    assert (root / "exercises" / "01_topic" / "name.py").read_text() == EXERCISE
    assert main(["--check"], root) == 0


def test_an_edited_exercise_is_replaced_and_kept_aside(root: Path) -> None:
    path = root / "exercises" / "01_topic" / "name.py"
    path.write_text("mine")
    backups = Backups(root / "backups", root / "exercises")
    (drift,) = drifts(root / "solutions", root / "exercises")
    write(drift, backups)
    assert path.read_text() == EXERCISE
    assert (backups.session / "01_topic" / "name.py").read_text() == "mine"


def test_an_exercise_without_a_solution_is_removed_and_kept_aside(root: Path) -> None:
    main([], root)
    stray = root / "exercises" / "01_topic" / "stray.py"
    stray.write_text("x = 1\n")
    (drift,) = drifts(root / "solutions", root / "exercises")
    assert "no solution" in str(drift)
    write(drift, Backups(root / "backups", root / "exercises"))
    assert not stray.exists()
    assert list((root / "backups").glob("*/01_topic/stray.py"))


def test_what_tools_leave_behind_is_no_exercise(root: Path) -> None:
    main([], root)
    for hidden in ("__pycache__", ".ipynb_checkpoints"):
        (root / "exercises" / "01_topic" / hidden).mkdir()
        (root / "exercises" / "01_topic" / hidden / "name.py").write_text("x")
    assert list(drifts(root / "solutions", root / "exercises")) == []


def test_a_broken_mark_is_one_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "solutions" / "01_topic" / "name.py").write_text("x = 1\n")
    assert main([], root) == 1
    assert capsys.readouterr().err == "name.py: 0 gaps; an exercise has one to 3\n"
