"""A git repository with a history, made for a check or an experiment; it knows nobody's configuration."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prodigon_lib.workshop.checks import Lacking

IDENTITY = {
    "GIT_AUTHOR_NAME": "Lesson", "GIT_AUTHOR_EMAIL": "lesson@example.org",
    "GIT_COMMITTER_NAME": "Lesson", "GIT_COMMITTER_EMAIL": "lesson@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Repository:
    folder: Path
    git: str

    @classmethod
    def new(cls, folder: Path) -> "Repository":
        """An empty one in a new folder.

        Raises:
            Lacking: this machine has no git.
        """
        git = shutil.which("git")
        if git is None:
            raise Lacking("git", "install it: apt-get install git, or brew install git")
        folder.mkdir()
        repository = cls(folder, git)
        repository.run("init", "--quiet", "--initial-branch=main")
        return repository

    def run(self, *arguments: str) -> str:
        """What one git command says."""
        done = subprocess.run(
            [self.git, "-C", str(self.folder), *arguments],
            env=os.environ | IDENTITY, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def commit(self, subject: str, files: Mapping[str, str | None]) -> None:
        """Write the files, or delete those whose text is `None`, and commit."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")
        self.run("add", "--all")
        self.run("commit", "--quiet", "--message", subject)
