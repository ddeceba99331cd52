"""`prodigon lab`: JupyterLab on the tour."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import TOUR, find_workshop
from prodigon_lib.stack.faults import as_stack_error
from prodigon_lib.stack.lease import LAB
from prodigon_lib.stack.process import start_time
from prodigon_lib.workshop.copy import copy_workshop
from prodigon_lib.workshop.terminal import say

NEW_FOLDER = "prodigon-workshop"
KEEP_SECONDS = 300
"""How long the stacks of a lab outlive the last kernel that held them: a restarted one finds them again."""

QUIET = (
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
    "--LabApp.extension_manager=readonly",
)
"""Nothing is asked of the network, and no question comes before the first notebook."""

SETTINGS = Path(__file__).parent / "jupyter"
"""Defaults of JupyterLab's own settings; a learner's choices win over them."""


def lab(
    context: typer.Context,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
    port: Annotated[int | None, typer.Option(help="JupyterLab's port.")] = None,
) -> None:
    """Open JupyterLab on the tour.

    With DIR, the workshop is copied there first; what you edited there before is kept. Options that are not
    ours go to JupyterLab.
    """
    folder, options = split(context.args)
    if find_spec("jupyterlab") is None:
        raise StackError("JupyterLab is not installed: python -m pip install 'prodigon[lab]'")
    workshop = open_workshop(folder)
    if not browser:
        options.append("--no-browser")
    if port is not None:
        options.append(f"--port={port}")
    command = [sys.executable, "-m", "jupyterlab", *jupyter_options(workshop), *options]
    os.chdir(workshop)
    sys.stdout.flush()
    # In our place: signals, the terminal and the exit code are JupyterLab's own.
    os.execve(sys.executable, command, lab_environment())  # noqa: S606


def split(arguments: list[str]) -> tuple[Path | None, list[str]]:
    """DIR, and what is JupyterLab's. DIR comes before any option of JupyterLab's that has its value apart."""
    for place, argument in enumerate(arguments):
        if not argument.startswith("-"):
            return Path(argument).expanduser(), arguments[:place] + arguments[place + 1 :]
        if "=" not in argument:
            break
    return None, list(arguments)


def open_workshop(folder: Path | None) -> Path:
    """The folder to open: the one asked for, else the workshop we are in, else a new one here."""
    if folder is None:
        if found := find_workshop():
            return found
        folder = Path(NEW_FOLDER)
    with as_stack_error(folder.resolve(), instead="name another folder"):
        done = copy_workshop(folder)
    say(f"{folder.resolve()}: {done}", err=True)
    return folder.resolve()


def jupyter_options(workshop: Path) -> list[str]:
    options = [
        f"--ServerApp.root_dir={workshop}",
        f"--LabApp.default_url=/lab/tree/notebooks/{TOUR}",
        *QUIET,
    ]
    if os.geteuid() == 0:
        options.append("--allow-root")
    return options


def lab_environment() -> dict[str, str]:
    paths = [str(SETTINGS), *os.environ.get("JUPYTER_CONFIG_PATH", "").split(os.pathsep)]
    kept = os.pathsep.join(path for path in paths if path)
    return {**os.environ, LAB: lab_mark(), "JUPYTER_CONFIG_PATH": kept}


def lab_mark() -> str:
    """Names this process to its kernels; what replaces it keeps its pid and its start time."""
    return f"{os.getpid()}:{KEEP_SECONDS}:{start_time(os.getpid())}"
