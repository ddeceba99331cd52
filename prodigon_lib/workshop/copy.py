"""Copies the workshop into a folder of the learner's, and brings later versions of it there.

What the learner edited is never overwritten: a newer version of it goes beside it, as `NAME.new.EXT`. What
was not edited is brought up to date. A list of what was copied, with its digests, tells the two apart.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import PACKAGE, PACKAGED_WORKSHOP, is_workshop
from prodigon_lib.core.version import library_version

COPIED = ("notebooks", "exercises", "solutions")
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
MANIFEST = Path(".prodigon") / "workshop.json"


@dataclass
class Copied:
    """What a copy did, as paths within the folder. `kept` are edited files that had a newer version."""

    new: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = [f"{len(self.new)} new", f"{len(self.updated)} updated"]
        beside = "".join(
            f"\n  {path}: yours is kept, the newer one is {other}" for path, other in self.kept.items()
        )
        return ", ".join(counts) + beside


def original_workshop() -> Path:
    """Where the workshop of this version is: the checkout the library runs from, else inside the package.

    Raises:
        StackError: the installation has none.
    """
    for root in (PACKAGE.parent, PACKAGED_WORKSHOP):
        if is_workshop(root):
            return root
    raise StackError("this installation has no notebooks: install prodigon again")


def copy_workshop(target: Path, source: Path | None = None) -> Copied:
    """Bring the workshop's files into `target`, which is made when it is not there.

    Raises:
        OSError: something can't be written.
        StackError: the target lies inside the workshop that is copied, or its list can't be read.
    """
    root = (source or original_workshop()).resolve()
    target = target.resolve()
    if target == root:
        return Copied()
    if any(target.is_relative_to(root / folder) for folder in COPIED):
        raise StackError(f"{target} lies inside the workshop itself: name a folder outside of {root}")
    known = read_manifest(target / MANIFEST)
    done = Copied()
    try:
        for path, content in files_of(root):
            place(target, path, content, known, done)
    finally:
        write_manifest(target / MANIFEST, known)
    return done


def files_of(root: Path) -> Iterator[tuple[str, bytes]]:
    """Each file of the workshop, by its path within it."""
    for folder in COPIED:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root)
            if path.is_file() and not LEFT_OUT.intersection(inside.parts):
                yield inside.as_posix(), path.read_bytes()


def place(target: Path, path: str, content: bytes, known: dict[str, str], done: Copied) -> None:
    """Write one file where that overwrites no edit, else beside; `known` has the digests of what we wrote."""
    wanted, file = digest(content), target / path
    if not file.exists():
        done.new.append(path)
    elif (found := digest(file.read_bytes())) == wanted:
        known[path] = wanted
        return
    elif found == known.get(path):
        done.updated.append(path)
    else:
        if known.get(path) != wanted:  # else the learner has seen this version, and went on from it
            done.kept[path] = beside(target, path, content)
            known[path] = wanted
        return
    write_whole(file, content)
    known[path] = wanted


def beside(target: Path, path: str, content: bytes) -> str:
    """Write a newer version next to an edited file, over nothing else; gives its path."""
    pure = PurePosixPath(path)
    number = 1
    while True:
        mark = ".new" if number == 1 else f".new-{number}"
        other = pure.with_name(f"{pure.stem}{mark}{pure.suffix}")
        file = target / other
        if not file.exists():
            write_whole(file, content)
            return str(other)
        if file.read_bytes() == content:
            return str(other)
        number += 1


def read_manifest(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8"))["files"])
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        raise StackError(
            f"{file} can't be read: remove it; what differs will be kept, with the new beside"
        ) from None


def write_manifest(file: Path, files: dict[str, str]) -> None:
    document = {"version": library_version(), "files": dict(sorted(files.items()))}
    write_whole(file, (json.dumps(document, indent=1) + "\n").encode())


def write_whole(file: Path, content: bytes) -> None:
    """Write a file that is never there by half."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(file)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()
