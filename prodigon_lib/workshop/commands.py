"""The learner's commands: check, hint, solution, reset, progress. A foreseeable fault is a `WorkshopError`.

from prodigon_lib.workshop.commands import register

register(app)  # a typer.Typer
"""

import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.terminal import say

if TYPE_CHECKING:
    from prodigon_lib.workshop.curriculum import Exercise
    from prodigon_lib.workshop.desk import Desk
    from prodigon_lib.workshop.result import Result

COLOURS = {"passed": typer.colors.GREEN, "failed": typer.colors.YELLOW, "noisy": typer.colors.BLUE}

Selection = Annotated[
    str | None, typer.Argument(metavar="[LESSON[.EXERCISE]]", help="3.1, or 3; all without.")
]
Number = Annotated[str, typer.Argument(metavar="LESSON.EXERCISE", help="Such as 3.1.")]


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    for command in (check, hint, solution, reset, progress):
        app.command()(command)


def desk() -> "Desk":
    from prodigon_lib.workshop.desk import Desk

    return Desk()


def show(result: "Result") -> None:
    first, _, rest = result.text().partition("\n")
    colour = False if os.environ.get("NO_COLOR") else None
    say(first, fg=COLOURS[result.status.value], bold=True, colour=colour)
    say(rest + "\n")


def check(
    selection: Selection = None,
    watch: Annotated[bool, typer.Option("--watch", help="Check again at each save, until Ctrl+C.")] = False,
    seed: Annotated[int | None, typer.Option(help="Draw the inputs of an earlier check again.")] = None,
) -> None:
    """Check an exercise, a lesson's, or all; exit code 0 when all passed."""
    it = desk()
    exercises = it.curriculum.select(selection)
    if watch:
        watch_over(it, exercises)
        return
    passed = 0
    for exercise in exercises:
        result = it.check(exercise, seed=seed)
        passed += result.passed
        show(result)
    if len(exercises) != 1:
        say(f"{passed} of {len(exercises)} passed")
    raise typer.Exit(0 if passed == len(exercises) else 1)


def watch_over(it: "Desk", exercises: "list[Exercise]") -> None:
    """Check again at each save, until Ctrl+C."""
    from prodigon_lib.workshop.watching import changes

    say("Checking at each save; Ctrl+C ends it.\n")
    with suppress(KeyboardInterrupt):
        for result in it.watch(exercises, lambda paths: changes(paths, stop=threading.Event())):
            show(result)


def hint(number: Number) -> None:
    """The next of an exercise's three hints."""
    it = desk()
    say(it.hint(it.curriculum.exercise(number)).text())


def solution(number: Number) -> None:
    """Your answer beside the reference, as a diff; opens after a pass or three tries."""
    from prodigon_lib.workshop.comparison import Comparison

    it = desk()
    shown = it.solution(it.curriculum.exercise(number))
    say(shown.text())
    if not isinstance(shown, Comparison):
        raise typer.Exit(1)


def reset(
    selection: Selection = None,
    everything: Annotated[bool, typer.Option("--all", help="Every exercise.")] = False,
) -> None:
    """Bring an exercise, a lesson's, or all back; what you wrote is kept in a backup."""
    if (selection is None) is not everything:
        raise WorkshopError("name what to reset: prodigon reset 3.1, prodigon reset 3, or --all")
    it = desk()
    say(it.reset(it.curriculum.select(selection)).text())


def progress(
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """How far you are."""
    view = desk().progress()
    say(json.dumps(view.to_dict(), indent=2) if as_json else view.text())
