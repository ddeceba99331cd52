"""The learner's loop, with real checks."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from prodigon_lib.workshop import desk as desk_module
from prodigon_lib.workshop.checks.supervision import Run
from prodigon_lib.workshop.checks.verdict import Cause, Status, fallen
from prodigon_lib.workshop.comparison import Comparison
from prodigon_lib.workshop.desk import Desk
from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.progress_file import NewerFormat
from prodigon_lib.workshop.replies import Locked
from tests.integration.workshop.conftest import solve
from tests.polling import eventually_sync


def states(desk: Desk) -> dict[str, str]:
    lessons = desk.progress().to_dict()["lessons"]
    return {each["number"]: each["state"] for lesson in lessons for each in lesson["exercises"]}


def test_an_edit_is_picked_up_by_the_next_check(desk: Desk) -> None:
    exercise = desk.curriculum.exercise("1.1")
    assert desk.check(exercise).status is Status.FAILED
    solve(desk, "1.1")
    assert desk.check(exercise).status is Status.PASSED
    text = desk.answer(exercise).read_text()
    desk.answer(exercise).write_text(text.replace("Semaphore(most)", "Semaphore(9999)"))
    assert desk.check(exercise).status is Status.FAILED


def test_an_untouched_exercise_names_its_gap(desk: Desk) -> None:
    result = desk.check(desk.curriculum.exercise("1.3"))
    assert result.verdict.cause is Cause.UNFINISHED
    assert result.verdict.step == "Line 10: Give back each item once, and look none up in a list."


def test_a_fail_shows_what_was_measured_and_wanted_with_evidence(desk: Desk) -> None:
    result = desk.check(desk.curriculum.exercise("1.1"), seed=7)
    text = result.text()
    assert "calls in flight at the peak: measured 40; wanted" in text
    assert "most at once" in text
    assert "Next: Let" in text
    assert "--seed 7" in text


def test_a_seed_draws_the_same_inputs_again(desk: Desk) -> None:
    exercise = desk.curriculum.exercise("1.1")
    first, second = desk.check(exercise, seed=3), desk.check(exercise, seed=3)
    assert first.verdict == second.verdict
    assert first.seed == second.seed == 3


def test_seeds_differ_when_none_is_given(desk: Desk) -> None:
    exercise = desk.curriculum.exercise("1.2")
    assert len({desk.check(exercise).seed for _ in range(3)}) > 1


def test_the_solution_opens_after_three_tries(desk: Desk) -> None:
    exercise = desk.curriculum.exercise("1.2")
    for tries in range(3):
        locked = desk.solution(exercise)
        assert isinstance(locked, Locked)
        assert ("no try", "one try", "2 tries")[tries] in locked.text()
        desk.check(exercise)
    opened = desk.solution(exercise)
    assert isinstance(opened, Comparison)
    assert "+client_max_body_size 8m;" in opened.diff
    assert "<gap>" not in opened.html()


def test_the_solution_opens_after_a_pass(desk: Desk) -> None:
    solve(desk, "1.2")
    exercise = desk.curriculum.exercise("1.2")
    assert desk.check(exercise).passed
    assert isinstance(desk.solution(exercise), Comparison)


def test_hints_come_one_by_one(desk: Desk) -> None:
    exercise = desk.curriculum.exercise("1.1")
    shown = [desk.hint(exercise).lines[0] for _ in range(4)]
    assert shown == [*exercise.hints, exercise.hints[-1]]


def test_reset_brings_the_file_back_and_keeps_what_was_there(desk: Desk) -> None:
    exercise, path = desk.curriculum.exercise("1.2"), desk.answer(desk.curriculum.exercise("1.2"))
    given = path.read_text()
    path.write_text("mine\n")
    desk.hint(exercise)
    restored = desk.reset([exercise])
    assert path.read_text() == given
    assert restored.backup is not None
    assert (restored.backup / exercise.key).read_text() == "mine\n"
    assert desk.hint(exercise).lines == [exercise.hints[0]]


def test_two_resets_keep_two_backups(desk: Desk) -> None:
    exercise, path = desk.curriculum.exercise("1.2"), desk.answer(desk.curriculum.exercise("1.2"))
    kept = []
    for text in ("one\n", "two\n"):
        path.write_text(text)
        kept.append(desk.reset([exercise]).backup)
    assert [(folder / exercise.key).read_text() for folder in kept if folder] == ["one\n", "two\n"]


def test_reset_of_all_leaves_untouched_files_alone(desk: Desk) -> None:
    solve(desk, "1.3")
    restored = desk.reset(desk.curriculum.select())
    assert [exercise.number for exercise in restored.exercises] == ["1.3"]
    assert "Nothing to reset" in desk.reset(desk.curriculum.select()).text()


def test_a_lost_file_is_a_fail_that_reset_mends(desk: Desk) -> None:
    exercise = desk.curriculum.exercise("1.1")
    desk.answer(exercise).unlink()
    result = desk.check(exercise)
    assert result.verdict.cause is Cause.MISSING
    assert "reset" in result.verdict.step
    desk.reset([exercise])
    assert desk.untouched(exercise)


def test_progress_tells_untouched_begun_tried_and_passed_apart(desk: Desk) -> None:
    assert set(states(desk).values()) == {"untouched"}
    for number in ("1.1", "1.2", "1.3"):
        path = desk.answer(desk.curriculum.exercise(number))
        path.write_text(path.read_text() + "# mine\n")
    desk.check(desk.curriculum.exercise("1.2"))
    solve(desk, "1.3")
    desk.check(desk.curriculum.exercise("1.3"))
    assert states(desk) == {"1.1": "begun", "1.2": "tried", "1.3": "passed"}


def test_what_was_passed_stays_passed(desk: Desk) -> None:
    solve(desk, "1.2")
    exercise = desk.curriculum.exercise("1.2")
    desk.check(exercise)
    desk.reset([exercise])
    desk.check(exercise)
    assert states(desk)["1.2"] == "passed"
    entry = json.loads(desk.progress_file.path.read_text())["exercises"][exercise.key]
    assert entry["tries"] == 1
    assert entry["status"] == "failed"


def test_what_the_machine_lacks_is_no_try(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = fallen(Cause.LACKING, "nginx on this machine", "none", "one", "Install it.")
    monkeypatch.setattr(desk_module, "run_check", lambda _: Run(lacks, "", 0.1))
    exercise = desk.curriculum.exercise("1.2")
    assert "Install it." in desk.check(exercise).text()
    locked = desk.solution(exercise)
    assert isinstance(locked, Locked)
    assert "no try" in locked.text()


def test_a_newer_progress_file_stops_before_the_check(desk: Desk) -> None:
    desk.progress_file.path.parent.mkdir(parents=True)
    desk.progress_file.path.write_text('{"format": 99}')
    with pytest.raises(NewerFormat, match="pip install --upgrade prodigon"):
        desk.check(desk.curriculum.exercise("1.2"))
    assert desk.progress_file.path.read_text() == '{"format": 99}'


def test_a_verdict_is_not_lost_where_progress_can_not_be_written(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = Desk(desk.curriculum, tmp_path / "file" / "home")
    result = blocked.check(desk.curriculum.exercise("1.2"))
    assert result.status is Status.FAILED
    assert "Your progress was not saved: can't write" in result.text()


def test_solutions_are_checked_on_request_and_nothing_is_recorded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODIGON_EXERCISES", "solutions")
    reference = Desk(desk.curriculum)
    exercise = desk.curriculum.exercise("1.2")
    assert reference.check(exercise).passed
    reference.hint(exercise)
    assert isinstance(reference.solution(exercise), Comparison)
    assert not reference.progress_file.path.exists()


def test_a_wrong_switch_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODIGON_EXERCISES", "yes")
    with pytest.raises(WorkshopError, match="PRODIGON_EXERCISES is 'yes'"):
        Desk(desk.curriculum)


SPIN_AND_SAY_WHO = """
import os, pathlib
pathlib.Path({note!r}).write_text(str(os.getpid()))
while True:
    pass
"""
CHECK_IT = """
import sys
from pathlib import Path
from prodigon_lib.workshop.desk import Desk
from tests.demonstration.curriculum import demonstration

desk = Desk(demonstration(Path(sys.argv[1])))
desk.check(desk.curriculum.exercise("1.1"))
"""


def test_a_check_dies_with_the_kernel_that_asked_for_it(desk: Desk, tmp_path: Path) -> None:
    """`kill -9` of the parent: nobody is left to end the check from outside."""
    note = tmp_path / "pid"
    answer = desk.answer(desk.curriculum.exercise("1.1"))
    answer.write_text(SPIN_AND_SAY_WHO.format(note=str(note)))
    parent = subprocess.Popen([sys.executable, "-c", CHECK_IT, str(desk.curriculum.exercises)])
    eventually_sync(lambda: note.exists() and note.read_text())
    checked = psutil.Process(int(note.read_text()))
    parent.kill()
    parent.wait()
    # Long before the eight seconds after which it would end itself.
    eventually_sync(lambda: not checked.is_running() or checked.status() == psutil.STATUS_ZOMBIE, within=4)
