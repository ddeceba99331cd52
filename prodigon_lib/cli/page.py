"""What the page of `prodigon app` shows: composed here, as panels and workshop know nothing of each other."""

import json
import os
from pathlib import Path
from typing import Any

import psutil
from IPython.display import HTML
from jupyter_core.paths import jupyter_runtime_dir

from prodigon_lib.cli.panels import FOLDER, STACK
from prodigon_lib.core.errors import ProdigonError, StackError
from prodigon_lib.core.locations import TOUR, find_workshop
from prodigon_lib.stack import Stack
from prodigon_lib.widgets.app import App
from prodigon_lib.workshop.card import BAD, card, heading, paragraph
from prodigon_lib.workshop.desk import Desk

USER = "learner"
"""Whose the chats and jobs on the page are, where accounts are on."""


def page() -> App | HTML:
    """The whole page, or why there is none; its notebook's only line."""
    if folder := os.environ.get(FOLDER):
        os.chdir(folder)
    try:
        stack = system(os.environ.get(STACK, "default"))
        return App(stack, lessons=lessons, user=USER if stack.auth else None)
    except ProdigonError as error:
        words = [paragraph(error.message), paragraph("Mend that, then load this page again.")]
        return HTML(card(BAD, heading("The system did not start"), *words))


def system(name: str) -> Stack:
    """What runs under that name, as it is: a lesson's stack has options that no page could know."""
    try:
        return Stack.attach(name)
    except StackError:
        return Stack.start(name)


def lessons() -> dict[str, Any]:
    """Each lesson with the learner's progress, and how to open it.

    Raises:
        WorkshopError: the progress can't be read.
    """
    progress = Desk().progress()
    workshop = find_workshop()
    lab = running_lab(workshop) if workshop else None
    tour = {"number": 0, "title": "The tour", "exercises": [], "quiz": {"questions": 0, "right": 0}}
    notebooks = [TOUR, *(f"{lesson.folder}.ipynb" for lesson in progress.lessons)]
    found = zip([tour, *progress.to_dict()["lessons"]], notebooks, strict=True)
    return {
        "summary": progress.summary,
        "notice": progress.notice,
        "folder": str(workshop) if workshop else None,
        "lessons": [{**lesson, "notebook": name, "link": link(lab, name)} for lesson, name in found],
    }


def running_lab(workshop: Path) -> dict[str, Any] | None:
    """The JupyterLab of this user that serves the workshop, when one runs.

    Read from the files that such servers keep; the function for it would load a whole server into the kernel.
    """
    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            server: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            if Path(server["root_dir"]).resolve() == workshop and psutil.pid_exists(server["pid"]):
                return server
        except (OSError, ValueError, KeyError):
            continue  # it ends, or it is none of a server's
    return None


def link(lab: dict[str, Any] | None, notebook: str) -> str | None:
    if lab is None:
        return None
    token = f"?token={lab['token']}" if lab["token"] else ""
    return f"{lab['url']}lab/tree/notebooks/{notebook}{token}"
