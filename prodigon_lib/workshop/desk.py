"""The learner's loop: check, hint, solution, reset, progress; one place for the notebook and the terminal."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prodigon_lib.core.locations import home
from prodigon_lib.workshop.backups import Backups
from prodigon_lib.workshop.checks.supervision import Order, run_check
from prodigon_lib.workshop.checks.verdict import Status, Verdict
from prodigon_lib.workshop.comparison import Comparison
from prodigon_lib.workshop.curriculum import Curriculum, Exercise
from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.gaps import Marked, take_apart
from prodigon_lib.workshop.progress_file import Document, NewerFormat, ProgressFile, now
from prodigon_lib.workshop.progress_view import ProgressView
from prodigon_lib.workshop.replies import Hint, Locked, Restored
from prodigon_lib.workshop.result import Result

TRIES_THAT_OPEN = 3
SWITCH = "PRODIGON_EXERCISES"


def solutions_asked_for() -> bool:
    """Whether PRODIGON_EXERCISES asks to check the solutions in place of the exercises.

    Raises:
        WorkshopError: it is set to neither `exercises` nor `solutions`.
    """
    value = os.environ.get(SWITCH, "") or "exercises"
    if value not in ("exercises", "solutions"):
        raise WorkshopError(f"{SWITCH} is {value!r}; it may be 'exercises' or 'solutions'")
    return value == "solutions"


class Desk:
    """What a learner can do with the exercises of a curriculum.

    Nothing of it runs a learner's code in this process. Where solutions are checked, nothing is recorded.
    """

    def __init__(self, curriculum: Curriculum | None = None, folder: Path | None = None) -> None:
        self.curriculum = curriculum or Curriculum.default()
        self._home = folder or home()
        self.progress_file = ProgressFile(self._home)
        self.checks_solutions = solutions_asked_for()

    def answer(self, exercise: Exercise) -> Path:
        """The file that a check looks at."""
        return (self.curriculum.solution if self.checks_solutions else self.curriculum.answer)(exercise)

    def check(self, exercise: Exercise, *, seed: int | None = None) -> Result:
        """Run one check; up to the first pass each is counted as a try, unless the machine was at fault.

        Raises:
            NewerFormat: the progress file is a newer version's; nothing was run.
        """
        if not self.checks_solutions:
            self._refuse_newer_progress()
        drawn = secrets.randbelow(1_000_000) if seed is None else seed
        root = self.curriculum.import_root
        run = run_check(Order(exercise.module, root, self.answer(exercise), exercise.file, drawn))
        notice = "" if self.checks_solutions else self._record(exercise, run.verdict)
        return Result(exercise, run.verdict, run.output, run.seconds, drawn, notice)

    def hint(self, exercise: Exercise) -> Hint:
        """The next of the three hints; after the last, the last again."""
        if self.checks_solutions:
            return Hint(exercise, 1)
        with self.progress_file.change() as document:
            entry = entry_of(document, exercise)
            entry["hints"] = step = min(entry.get("hints", 0) + 1, len(exercise.hints))
        return Hint(exercise, step)

    def solution(self, exercise: Exercise) -> Comparison | Locked:
        """The learner's answer beside the reference, after a pass or three tries."""
        entry = self.progress_file.read()["exercises"].get(exercise.key, {})
        tries = entry.get("tries", 0)
        if not (self.checks_solutions or entry.get("passed_at") or tries >= TRIES_THAT_OPEN):
            return Locked(exercise, tries, TRIES_THAT_OPEN)
        title = f"{exercise.number} {exercise.title}"
        return Comparison(title, self._text(exercise), self._marked(exercise).reference)

    def reset(self, exercises: list[Exercise]) -> Restored:
        """Bring the files back to how they were given out; what was there is kept.

        Raises:
            WorkshopError: there is no folder that a learner may edit.
        """
        if self.curriculum.exercises_are_packaged:
            raise WorkshopError("there is no workshop here to edit: prodigon lab FOLDER makes one")
        backups = Backups(self._home / "backups", self.curriculum.exercises)
        restored = [exercise for exercise in exercises if not self.untouched(exercise)]
        kept = [backups.keep(self.curriculum.answer(exercise)) for exercise in restored]
        for exercise in restored:
            path = self.curriculum.answer(exercise)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._marked(exercise).exercise, encoding="utf-8")
        with self.progress_file.change() as document:
            for exercise in exercises:
                entry_of(document, exercise)["hints"] = 0
        return Restored(restored, backups.session if any(kept) else None)

    def progress(self) -> ProgressView:
        """What is passed, tried, begun and untouched."""
        document = self.progress_file.read()
        begun = {each.key for each in self.curriculum.select() if not self.untouched(each)}
        return ProgressView(self.curriculum.lessons, document, begun, self.progress_file.notice)

    def untouched(self, exercise: Exercise) -> bool:
        """The learner's file is there, as it was given out."""
        return self._text(exercise) == self._marked(exercise).exercise

    def watch(
        self, exercises: list[Exercise], changes: Callable[[list[Path]], Iterator[set[Path]]]
    ) -> Iterator[Result]:
        """Check all once, then each again when its file changes; `changes` yields the paths that did."""
        yield from (self.check(exercise) for exercise in exercises)
        by_path = {self.answer(exercise): exercise for exercise in exercises}
        for changed in changes(list(by_path)):
            yield from (self.check(by_path[path]) for path in sorted(changed))

    def _text(self, exercise: Exercise) -> str:
        path = self.curriculum.answer(exercise)
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def _marked(self, exercise: Exercise) -> Marked:
        path = self.curriculum.solution(exercise)
        if not path.is_file():
            raise WorkshopError(f"the reference of {exercise.number} is missing: {path}")
        return take_apart(path.read_text(encoding="utf-8"), exercise.file)

    def _refuse_newer_progress(self) -> None:
        try:
            self.progress_file.read()
        except NewerFormat:
            raise
        except WorkshopError:
            pass  # a disk that can't be written is said with the result

    def _record(self, exercise: Exercise, verdict: Verdict) -> str:
        """Count the try, if it was one; a fault is returned, since a full disk must not lose a verdict."""
        try:
            with self.progress_file.change() as document:
                entry = entry_of(document, exercise)
                entry |= {"status": verdict.status.value, "checked_at": now()}
                if not entry.get("passed_at") and verdict.judged:
                    entry["tries"] = entry.get("tries", 0) + 1
                    entry["passed_at"] = now() if verdict.status is Status.PASSED else None
        except WorkshopError as error:
            return f"Your progress was not saved: {error.message}"
        return self.progress_file.notice


def entry_of(document: Document, exercise: Exercise) -> dict[str, Any]:
    entry: dict[str, Any] = document["exercises"].setdefault(exercise.key, {})
    return entry
