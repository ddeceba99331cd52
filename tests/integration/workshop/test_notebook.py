"""What a notebook calls: in this process, and in a real kernel."""

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from prodigon_lib.workshop import check, hint, progress, quiz, reset, solution
from prodigon_lib.workshop.curriculum import Curriculum
from prodigon_lib.workshop.desk import Desk
from prodigon_lib.workshop.faults import CheckFailed, WorkshopError
from prodigon_lib.workshop.result import Result, Results
from tests.integration.workshop.conftest import solve


@pytest.fixture(autouse=True)
def at_the_desk(desk: Desk) -> Desk:
    return desk


def test_one_number_gives_one_result_and_a_lesson_several() -> None:
    assert isinstance(check("1.2"), Result)
    lesson = check("1")
    assert isinstance(lesson, Results)
    assert len(lesson) == 3
    assert not lesson.passed
    assert "0 of 3 passed" in lesson.text()


def test_a_number_may_be_written_without_quotes() -> None:
    result = check(1.2)
    assert isinstance(result, Result)
    assert result.exercise.number == "1.2"


def test_an_unknown_number_is_one_line() -> None:
    with pytest.raises(
        WorkshopError, match=r"there is no exercise 1\.9; exercises: 1\.1, 1\.2, 1\.3"
    ) as caught:
        check("1.9")
    assert caught.value._render_traceback_() == [f"Prodigon: {caught.value.message}"]
    with pytest.raises(WorkshopError, match="there is no lesson 7; lessons: 1"):
        check("7")


def test_a_failed_exercise_is_shown_and_a_failed_solution_raises(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = check("1.2")
    assert isinstance(shown, Result)
    assert not shown.passed
    broken = replace(desk.curriculum, solutions=desk.curriculum.exercises)
    monkeypatch.setattr(Curriculum, "default", lambda: broken)
    monkeypatch.setenv("PRODIGON_EXERCISES", "solutions")
    with pytest.raises(CheckFailed, match="the body limit: measured None; wanted 8m"):
        check("1.2")


def test_the_rest_of_the_loop(desk: Desk) -> None:
    assert "hint 1 of 3" in hint("1.1").text()
    assert "opens after" in solution("1.1").text()
    solve(desk, "1.2")
    assert check("1.2").passed
    assert "1 of 3 exercises passed" in progress().text()
    assert "1.2" in reset("1").text()
    assert "Nothing to reset" in reset("all").text()
    assert quiz("1", 2).answer(1, "b") is not None


KERNEL_CELLS = """
from pathlib import Path
from prodigon_lib.workshop.curriculum import Curriculum
from tests.demonstration.curriculum import demonstration
there = demonstration(Path({exercises!r}))
Curriculum.default = lambda: there
from prodigon_lib.workshop import check
import os; mine = os.getpid()
#%%
check("1.2")
#%%
there.answer(there.exercise("1.2")).write_text(there.solution(there.exercise("1.2")).read_text())
check("1.2")
#%%
there.answer(there.exercise("1.2")).write_text("hog = 1")
there.answer(there.exercise("1.1")).write_text("import os, signal; os.killpg(0, signal.SIGKILL)")
check("1.1")
#%%
check("1.9")
#%%
os.getpid() == mine
"""


def test_a_real_kernel_shows_results_picks_up_edits_and_outlives_the_exercise(desk: Desk) -> None:
    cells = KERNEL_CELLS.format(exercises=str(desk.curriculum.exercises)).strip().split("#%%\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True).execute(cwd=Path.cwd())
    outputs = [cell.outputs for cell in notebook.cells]
    assert "not yet" in outputs[1][0].data["text/html"]
    assert "not yet" in outputs[1][0].data["text/plain"]
    assert "1.2 Limits in a config file: passed" in outputs[2][0].data["text/html"]
    assert "SIGKILL" in outputs[3][0].data["text/html"]
    assert outputs[4][0].traceback == ["Prodigon: there is no exercise 1.9; exercises: 1.1, 1.2, 1.3"]
    assert outputs[5][0].data["text/plain"] == "True"
