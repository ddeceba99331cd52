"""Short answers to a learner: a hint, a locked solution, what was reset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from prodigon_lib.workshop.card import NEUTRAL, Shown, card, heading, paragraph
from prodigon_lib.workshop.curriculum import Exercise


@dataclass(frozen=True, repr=False)
class Reply(Shown):
    """A title and lines under it."""

    title: str
    lines: Sequence[str]

    def html(self) -> str:
        return card(NEUTRAL, heading(self.title), *(paragraph(line) for line in self.lines))

    def text(self) -> str:
        wrapped = (fill(line, 100, initial_indent="  ", subsequent_indent="  ") for line in self.lines)
        return "\n".join([self.title, *wrapped])


class Hint(Reply):
    """One of an exercise's hints; `step` counts from 1."""

    def __init__(self, exercise: Exercise, step: int) -> None:
        count = len(exercise.hints)
        title = f"{exercise.number} {exercise.title}: hint {step} of {count}"
        super().__init__(title, [exercise.hints[step - 1]])


class Locked(Reply):
    """The solution is not open yet."""

    def __init__(self, exercise: Exercise, tries: int, needed: int) -> None:
        done = "no try" if tries == 0 else "one try" if tries == 1 else f"{tries} tries"
        super().__init__(
            f"{exercise.number} {exercise.title}: the solution opens after a pass or {needed} tries",
            [f"So far: {done}. The hints of {exercise.number} help in three steps."],
        )


class Restored(Reply):
    """Which exercises were reset; `backup` has what was in them."""

    def __init__(self, exercises: Sequence[Exercise], backup: Path | None) -> None:
        self.exercises, self.backup = list(exercises), backup
        if not exercises:
            super().__init__("Nothing to reset: the files are as they were given out", [])
            return
        lines = [f"{exercise.number} {exercise.key}" for exercise in exercises]
        kept = [f"What was there is kept in {backup}"] if backup else []
        super().__init__("Reset to how it was given out", [*lines, *kept])
