"""What a learner calls in a notebook. Each call returns something that shows itself."""

from prodigon_lib.workshop.checks.verdict import Status
from prodigon_lib.workshop.comparison import Comparison
from prodigon_lib.workshop.curriculum import Exercise
from prodigon_lib.workshop.desk import Desk
from prodigon_lib.workshop.faults import CheckFailed, WorkshopError
from prodigon_lib.workshop.progress_view import ProgressView
from prodigon_lib.workshop.quiz_view import Quiz
from prodigon_lib.workshop.replies import Hint, Locked, Restored
from prodigon_lib.workshop.result import Result, Results

NOISY_RUNS = 3


def check(selection: str | float | None = None, *, seed: int | None = None) -> Result | Results:
    """Check one exercise (`"3.1"`), a lesson's (`"3"`), or all.

    The file is read as it is now, and runs in a process of its own: no restart of the kernel is needed.

    Args:
        seed: of a result that is to be seen again; drawn if not given.

    Raises:
        WorkshopError: there is no such exercise.
        CheckFailed: it failed, and PRODIGON_EXERCISES=solutions.
    """
    desk = Desk()
    results = [check_one(desk, exercise, seed) for exercise in desk.curriculum.select(selection)]
    for result in results:
        if desk.checks_solutions and result.status is Status.FAILED:
            raise CheckFailed(result.text())
    one = selection is not None and "." in str(selection)
    return results[0] if one else Results(results)


def check_one(desk: Desk, exercise: Exercise, seed: int | None) -> Result:
    """A solution is tried again while the machine is too noisy: nobody is there to do it by hand."""
    result = desk.check(exercise, seed=seed)
    for _ in range(NOISY_RUNS - 1):
        if desk.checks_solutions and result.status is Status.NOISY:
            result = desk.check(exercise, seed=seed)
    return result


def hint(number: str | float) -> Hint:
    """The next of the exercise's three hints."""
    desk = Desk()
    return desk.hint(desk.curriculum.exercise(number))


def solution(number: str | float) -> Comparison | Locked:
    """Your answer beside the reference, once you passed or tried three times."""
    desk = Desk()
    return desk.solution(desk.curriculum.exercise(number))


def reset(selection: str | float) -> Restored:
    """Bring back an exercise (`"3.1"`), a lesson's (`"3"`) or all (`"all"`); what you wrote is kept aside."""
    desk = Desk()
    return desk.reset(desk.curriculum.select(None if selection == "all" else selection))


def progress() -> ProgressView:
    """What you passed, tried and have not begun."""
    return Desk().progress()


def quiz(lesson: str | int, *questions: int) -> Quiz:
    """The questions of a lesson, all or those of the given places (from 1)."""
    desk = Desk()
    found = desk.curriculum.lesson(lesson)
    record = None if desk.checks_solutions else desk.progress_file
    try:
        return Quiz.of(found, record, questions)
    except IndexError:
        raise WorkshopError(f"lesson {lesson} has no such question") from None
