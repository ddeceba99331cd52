"""Copies of what `reset` replaces."""

import shutil
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path


class Backups:
    """Keeps files under `folder`, in one folder a session, at the paths they have below `root`."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder, self._root = folder, root

    @cached_property
    def session(self) -> Path:
        """A new folder, named for the time (UTC); made when it is first needed."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        for place in range(1000):
            folder = self._folder / (f"{stamp}-{place}" if place else stamp)
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            return folder
        raise FileExistsError(f"no free name for a backup in {self._folder}")

    def keep(self, path: Path) -> Path | None:
        """Copy the file, with its time; returns the copy, or `None` where there is no such file."""
        if not path.is_file():
            return None
        copy = self.session / path.relative_to(self._root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
        return copy
