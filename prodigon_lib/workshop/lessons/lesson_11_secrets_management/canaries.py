"""Six canaries in one small project, each planted as people do it, and the hunt for them.

A canary is a secret of no worth that is drawn anew each time: where it turns up, a real one would.
"""

import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from prodigon_lib.workshop.checks import Lacking
from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.lessons.lesson_11_secrets_management import canary_process
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.repository import Repository
from prodigon_lib.workshop.look import GREEN, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table

WAYS = ("code", ".env", "environment", "command line", "log line", "notebook output")
PLACES = (
    "files now", "git history", "image layer", "process list", "environment", "child's environment",
)  # fmt: skip
IGNORED = ".env\n*.log\n"
VARIABLE = "REPORTS_KEY"


@dataclass(frozen=True)
class Hunt:
    """Where each canary was found: way by way, the places."""

    found: Mapping[str, Sequence[str]]
    unread: Sequence[str] = ()
    """Places that this machine lets nobody look into."""

    @property
    def total(self) -> int:
        return sum(len(places) for places in self.found.values())


@dataclass(frozen=True)
class Project:
    """A folder under git, and a process that runs in it with a child of its own."""

    canaries: Mapping[str, str]
    repository: Repository
    process: "subprocess.Popen[str]"
    child: int

    def clean_up(self) -> None:
        """As most people do who find a secret: delete what it stands in, and commit."""
        self.repository.commit(
            "Remove secrets",
            {"app.py": "print('hello')\n", "notes.ipynb": None, ".env": None, "service.log": None},
        )

    def image_layer(self) -> str:
        """What `COPY . .` takes along: all that lies there, and git's folder with its history, too."""
        with tempfile.TemporaryDirectory(prefix="prodigon-layer-") as name:
            layer = Repository(Path(name) / "layer", self.repository.git)
            shutil.copytree(self.repository.folder, layer.folder)
            return texts_below(layer.folder) + history(layer)


@contextmanager
def planted() -> Iterator[Project]:
    """The project with its six canaries, while the block runs.

    Raises:
        WorkshopError: this machine has no git.
    """
    canaries = {way: f"canary{secrets.token_hex(12)}" for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="prodigon-canaries-") as name:
        repository = new_repository(Path(name) / "project")
        repository.commit("Begin", files_with(canaries))
        process = subprocess.Popen(
            [sys.executable, "-I", str(Path(canary_process.__file__)), "--key", canaries["command line"]],
            cwd=repository.folder, env=os.environ | {VARIABLE: canaries["environment"]},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            yield Project(canaries, repository, process, int(process.stdout.readline()))
        finally:
            process.communicate()  # its input ends, and so does it


def new_repository(folder: Path) -> Repository:
    try:
        return Repository.new(folder)
    except Lacking as lacking:
        raise WorkshopError(f"the canaries need {lacking.what}; {lacking.how}") from None


def files_with(canaries: Mapping[str, str]) -> dict[str, str | None]:
    """The project's files; git is told to leave two of them out."""
    shown = f"Settings(key='{canaries['notebook output']}')"
    output = {"output_type": "stream", "name": "stdout", "text": [shown]}
    cell = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": ["settings"],
        "outputs": [output],
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return {
        ".gitignore": IGNORED,
        "app.py": f"client = Client(key='{canaries['code']}')\n",
        ".env": f"{VARIABLE}={canaries['.env']}\n",
        "service.log": f"INFO asked with key {canaries['log line']}\n",
        "notes.ipynb": json.dumps(notebook),
    }


def hunt(project: Project) -> Hunt:
    """Look for each canary in every place."""
    texts = {
        "files now": texts_below(project.repository.folder),
        "git history": history(project.repository),
        "image layer": project.image_layer(),
        "process list": command_line(project.process.pid),
        "environment": environment(project.process.pid),
        "child's environment": environment(project.child),
    }
    found = {
        way: [place for place, text in texts.items() if text and canary in text]
        for way, canary in project.canaries.items()
    }
    return Hunt(found, [place for place, text in texts.items() if text is None])


def history(repository: Repository) -> str:
    return repository.run("log", "--all", "--patch")


def texts_below(folder: Path) -> str:
    """The project's own files, without git's."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return "\n".join(path.read_text(errors="replace") for path in files)


def command_line(pid: int) -> str | None:
    """What `ps` shows to every user of the machine."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return None


def environment(pid: int) -> str | None:
    """What a process was started with, as another of the same user reads it: on Linux from `/proc`.

    On macOS the system gives it away for some programs only; `None` then.
    """
    try:
        return "\n".join(f"{name}={value}" for name, value in psutil.Process(pid).environ().items())
    except (psutil.Error, OSError):
        return None


def who_may_read(pid: int) -> Table:
    """Linux' own word for it: the modes of a process's files."""
    rows = []
    for name, what in (("cmdline", "command line"), ("environ", "environment")):
        path = Path("/proc", str(pid), name)
        if not path.exists():
            rows.append((what, "no /proc here", "ask `ps`, which shows the command line to everybody"))
            continue
        mode = path.stat().st_mode
        rows.append(
            (what, stat.filemode(mode), "every user" if mode & stat.S_IROTH else "its user, and root")
        )
    return Table(["what", "mode", "who may read it"], rows)


def matrix(hunts: Mapping[str, Hunt], guess: Mapping[str, int] | None = None) -> Picture:
    """Each hunt as a grid of ways and places. `guess` is in how many places each was expected at first."""
    plot = Plot(height=2.2 * len(hunts) + 0.8, rows=len(hunts))
    for axes, (name, each) in zip(plot.axes, hunts.items(), strict=True):
        for row, way in enumerate(WAYS):
            seen = [PLACES.index(place) for place in each.found[way]]
            hidden = [column for column in range(len(PLACES)) if column not in seen]
            axes.scatter(seen, [row] * len(seen), marker="s", s=90, color=ORANGE)
            axes.scatter(hidden, [row] * len(hidden), marker=".", s=20, color=GREEN)
        axes.set(ylim=(len(WAYS) - 0.5, -0.5), xlim=(-0.5, len(PLACES) - 0.5), xticks=range(len(PLACES)))
        expected = guess if axes is plot.axes[0] else None
        axes.set_yticks(range(len(WAYS)), [label(way, expected) for way in WAYS])
        axes.set_xticklabels(PLACES, fontsize=8)
        axes.set_title(name, loc="left", fontsize=10)
    words = "; ".join(
        f"{name}: {way} in {' and '.join(places) or 'none'}"
        for name, each in hunts.items()
        for way, places in each.found.items()
    )
    return plot.finish(f"Where each canary can be read: {words}")


def label(way: str, guess: Mapping[str, int] | None) -> str:
    return way if guess is None or way not in guess else f"{way} (guess: {guess[way]})"
