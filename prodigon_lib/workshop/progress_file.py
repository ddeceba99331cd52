"""A learner's progress: one JSON document, `progress.json` in the folder of all state.

    {"format": 1,
     "exercises": {"03_batch…/micro_batcher.py": {"tries": 2, "hints": 1, "status": "failed",
                   "passed_at": null, "checked_at": "2026-01-02T03:04:05+00:00"}},
     "quizzes": {"03_batch…": {"which-queue": {"right": true, "tries": 2, "first": false}}}}

Written whole, under another name first, and renamed into place: a reader sees the old document or the new
one. Changes are made under a lock, so two notebooks lose nothing of each other's. What a later version adds
to this format is kept as it is.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prodigon_lib.workshop.faults import WorkshopError

FORMAT = 1


class NewerFormat(WorkshopError):
    """A newer version of the library wrote the file."""

    default_code = "NEWER_FORMAT"


Document = dict[str, Any]
Upgrade = Callable[[Document], Document]
UPGRADES: Mapping[int, Upgrade] = {}
"""From a format to the next one; each format that was ever released stays readable."""


class ProgressFile:
    """The document in `folder`.

    `notice` says, after a read, what a learner should know: that a broken file was set aside.

    Args:
        format: the one that this version writes.
        upgrades: for each older format, what makes the next one of it.
    """

    def __init__(
        self, folder: Path, *, format: int = FORMAT, upgrades: Mapping[int, Upgrade] = UPGRADES
    ) -> None:
        self._folder, self._format, self._upgrades = folder, format, upgrades
        self.notice = ""

    @property
    def path(self) -> Path:
        return self._folder / "progress.json"

    def read(self) -> Document:
        """The document as it is now, in this version's format.

        Raises:
            NewerFormat: a newer version wrote it.
            WorkshopError: the folder can't be written.
        """
        with self._locked():
            return self._load()

    @contextmanager
    def change(self) -> Iterator[Document]:
        """The document, to change in place; it is written when the block ends without an error.

        Raises:
            NewerFormat: a newer version wrote it.
            WorkshopError: the folder can't be written.
        """
        with self._locked():
            document = self._load()
            yield document
            self._write(document)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._said_in_one_line():
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / "progress.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _said_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise WorkshopError(
                f"can't write {self._folder}: {reason}; set PRODIGON_HOME elsewhere"
            ) from None

    def _load(self) -> Document:
        try:
            document = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return self._empty()
        except (ValueError, OSError):
            return self._set_aside()
        written = document.get("format") if isinstance(document, dict) else None
        if not isinstance(written, int):
            return self._set_aside()
        if written > self._format:
            raise NewerFormat(
                f"{self.path} was written by a newer Prodigon (format {written}, this one reads up to "
                f"{self._format}): pip install --upgrade prodigon"
            )
        while written < self._format:
            document = self._upgrades[written](document)
            written += 1
        document["format"] = self._format
        return document if well_formed(document) else self._set_aside()

    def _empty(self) -> Document:
        return {"format": self._format, "exercises": {}, "quizzes": {}}

    def _set_aside(self) -> Document:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        aside = self.path.with_name(f"progress.broken-{stamp}.json")
        with suppress(OSError):
            self.path.replace(aside)
        self.notice = f"progress.json could not be read; it is kept as {aside.name}, and progress starts anew"
        return self._empty()

    def _write(self, document: Document) -> None:
        with self._said_in_one_line():
            handle, name = tempfile.mkstemp(dir=self._folder, prefix="progress.", suffix=".new")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(document, file, indent=1, ensure_ascii=False)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            except BaseException:
                with suppress(OSError):
                    Path(name).unlink()
                raise


def well_formed(document: Document) -> bool:
    """Both parts are there, as objects of objects."""
    parts = [document.get("exercises"), document.get("quizzes")]
    return all(isinstance(part, dict) and all(isinstance(v, dict) for v in part.values()) for part in parts)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
