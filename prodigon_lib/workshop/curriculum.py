"""The lessons and their exercises, found by the names of files; `lessons/__init__.py` shows their shape."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from prodigon_lib.core.locations import PACKAGE, PACKAGED_WORKSHOP, workshop_folder
from prodigon_lib.workshop.faults import WorkshopError

LESSON = re.compile(r"lesson_((\d\d)_[a-z0-9_]+)")
EXERCISE = re.compile(r"exercise_(\d)_([a-z0-9_]+)\.py")
HINT_STEPS = 3


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Args:
        number: lesson and place in it, `3.1`.
        folder: of its file, in both `exercises/` and `solutions/`: `03_batch_vs_realtime_vs_streaming`.
        module: dotted name of the module that has its check; never imported by a learner's kernel.
    """

    number: str
    title: str
    folder: str
    file: str
    hints: tuple[str, ...]
    module: str

    @property
    def key(self) -> str:
        """Its path in `exercises/`: what progress is kept under, the same whatever its number becomes."""
        return f"{self.folder}/{self.file}"


@dataclass(frozen=True)
class Lesson:
    """One lesson and its exercises in order; `module` is its package's dotted name, `path` its folder."""

    number: int
    folder: str
    title: str
    module: str
    path: Path
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True)
class Curriculum:
    """All lessons of a package.

    Args:
        package: dotted name of the package of lessons, which lies in the folder `lessons_folder`.
        exercises: what the learner edits.
        solutions: the reference, with its gaps marked.
    """

    package: str
    lessons_folder: Path
    exercises: Path
    solutions: Path

    @classmethod
    def default(cls) -> "Curriculum":
        """The learner's own `exercises/`; lessons and solutions of this version of the library."""
        return cls(
            "prodigon_lib.workshop.lessons",
            Path(__file__).parent / "lessons",
            workshop_folder("exercises"),
            solutions_folder(),
        )

    @property
    def import_root(self) -> Path:
        """The folder to import `package` from."""
        return self.lessons_folder.resolve().parents[self.package.count(".")]

    @property
    def exercises_are_packaged(self) -> bool:
        """No workshop was found, so these are the library's own copies: nothing a learner may edit."""
        return self.exercises.is_relative_to(PACKAGED_WORKSHOP)

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """In order of their numbers; read once for each curriculum object."""
        folders = sorted(self.lessons_folder.glob("lesson_*"))
        matches = [(folder, LESSON.fullmatch(folder.name)) for folder in folders if folder.is_dir()]
        return tuple(self._lesson(folder, match[1], int(match[2])) for folder, match in matches if match)

    def lesson(self, number: int | str) -> Lesson:
        """The lesson of that number.

        Raises:
            WorkshopError: there is none.
        """
        for lesson in self.lessons:
            if str(lesson.number) == str(number).strip():
                return lesson
        known = ", ".join(str(lesson.number) for lesson in self.lessons) or "none yet"
        raise WorkshopError(f"there is no lesson {number}; lessons: {known}")

    def exercise(self, number: str | float) -> Exercise:
        """The exercise of that number, such as `"3.1"`.

        Raises:
            WorkshopError: there is none.
        """
        wanted = str(number).strip()
        for lesson in self.lessons:
            for exercise in lesson.exercises:
                if exercise.number == wanted:
                    return exercise
        place = wanted.partition(".")[0]
        known = [e.number for lesson in self.lessons for e in lesson.exercises]
        near = [each for each in known if each.partition(".")[0] == place] or known
        raise WorkshopError(f"there is no exercise {wanted}; exercises: {', '.join(near) or 'none yet'}")

    def select(self, selection: str | float | None = None) -> list[Exercise]:
        """One exercise (`"3.1"`), a lesson's (`"3"`), or all.

        Raises:
            WorkshopError: there is no such exercise or lesson.
        """
        if selection is None:
            return [exercise for lesson in self.lessons for exercise in lesson.exercises]
        if "." in str(selection):
            return [self.exercise(selection)]
        return list(self.lesson(str(selection)).exercises)

    def lesson_of(self, exercise: Exercise) -> Lesson:
        return next(lesson for lesson in self.lessons if exercise in lesson.exercises)

    def answer(self, exercise: Exercise) -> Path:
        """The learner's file."""
        return self.exercises / exercise.key

    def solution(self, exercise: Exercise) -> Path:
        """The reference's file."""
        return self.solutions / exercise.key

    def _lesson(self, folder: Path, topic: str, number: int) -> Lesson:
        module = f"{self.package}.{folder.name}"
        exercises = []
        for path in sorted(folder.glob("exercise_*.py")):
            if match := EXERCISE.fullmatch(path.name):
                place = f"{number}.{match[1]}"
                exercises.append(described(path, place, topic, match[2], f"{module}.{path.stem}"))
        return Lesson(number, topic, title_in(folder / "__init__.py"), module, folder, tuple(exercises))


def solutions_folder() -> Path:
    """The solutions of this version of the library, never a copy in a learner's folder."""
    for root in (PACKAGED_WORKSHOP, PACKAGE.parent):
        if (root / "solutions").is_dir():
            return root / "solutions"
    raise WorkshopError("this installation has no solutions; install prodigon again")


def described(path: Path, number: str, folder: str, stem: str, module: str) -> Exercise:
    constants = constants_in(path)
    hints = constants.get("HINTS")
    if not isinstance(hints, tuple) or len(hints) != HINT_STEPS or not all(isinstance(h, str) for h in hints):
        raise WorkshopError(f"{path.name}: HINTS must be a tuple of three strings, written out")
    file = constants.get("FILE", f"{stem}.py")
    return Exercise(number, title_in(path), folder, str(file), hints, module)


def title_in(path: Path) -> str:
    """The first line of a module's docstring, without its full stop.

    Raises:
        WorkshopError: it has none.
    """
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else None
    if not docstring:
        raise WorkshopError(f"{path.parent.name}/{path.name}: the docstring's first line must be the title")
    return docstring.splitlines()[0].rstrip(".")


def constants_in(path: Path) -> dict[str, object]:
    """What a module assigns to names at its top level, where that is a literal."""
    found: dict[str, object] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            name, value = node.target.id, node.value
        else:
            continue
        if name in ("HINTS", "FILE"):
            try:
                found[name] = ast.literal_eval(value)
            except ValueError:
                raise WorkshopError(f"{path.name}: {name} must be written out, not computed") from None
    return found
