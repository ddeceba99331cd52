"""Writes the exercises from the solutions.

python -m prodigon_lib.workshop.generate            writes what differs, keeping a backup of what it replaces
python -m prodigon_lib.workshop.generate --check    writes nothing; non-zero when something differs
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prodigon_lib.core.locations import PACKAGE, home
from prodigon_lib.workshop.backups import Backups
from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.gaps import SIGNS, take_apart

HIDDEN = {"__pycache__", ".ipynb_checkpoints"}


@dataclass(frozen=True)
class Drift:
    """An exercise that is not what its solution makes of it. `text` is `None` where there is no solution."""

    path: Path
    text: str | None

    def __str__(self) -> str:
        if self.text is None:
            return f"{self.path}: no solution at the same path"
        return (
            f"{self.path}: {'differs from' if self.path.is_file() else 'missing, and there is'} its solution"
        )


def drifts(solutions: Path, exercises: Path) -> Iterator[Drift]:
    """Every exercise that is not what its solution generates, in order of paths.

    Raises:
        BadGap: the marks of a solution are wrong.
    """
    wanted = {
        path.relative_to(solutions): take_apart(path.read_text(encoding="utf-8"), path.name).exercise
        for path in files_in(solutions)
    }
    there = {path.relative_to(exercises) for path in files_in(exercises)}
    for place in sorted(wanted.keys() | there):
        text, path = wanted.get(place), exercises / place
        if text is None or not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield Drift(path, text)


def files_in(folder: Path) -> list[Path]:
    """The files of lessons below `folder`, none of those that tools leave behind."""
    found = sorted(path for path in folder.glob("[0-9][0-9]_*/**/*") if path.is_file())
    return [path for path in found if path.suffix in SIGNS and not HIDDEN & set(path.parts)]


def write(drift: Drift, backups: Backups) -> None:
    """Bring one exercise into line; what was there is kept among the backups."""
    backups.keep(drift.path)
    if drift.text is None:
        drift.path.unlink()
        return
    drift.path.parent.mkdir(parents=True, exist_ok=True)
    drift.path.write_text(drift.text, encoding="utf-8")


def main(arguments: list[str], root: Path = PACKAGE.parent) -> int:
    solutions, exercises = root / "solutions", root / "exercises"
    try:
        found = list(drifts(solutions, exercises))
        for drift in found:
            print(drift)
            if "--check" not in arguments:
                write(drift, Backups(home() / "backups", exercises))
    except WorkshopError as error:
        print(error.message, file=sys.stderr)
        return 1
    if found and "--check" in arguments:
        print("run: python -m prodigon_lib.workshop.generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
