"""Where a learner meets the panels: a notebook in JupyterLab, and `prodigon app`. Both show one stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Locator, Page, expect

from prodigon_lib import Stack
from tests.browser.app_page import RunningApp
from tests.browser.lab import Lab
from tests.browser.panels import open_notebook

STACK = "panels"
TABS = {"ChatPanel": "Chat", "JobsPanel": "Jobs", "Dashboard": "Dashboard", "TraceView": "Trace"}
HOLDS = f"from prodigon_lib import Stack\nstack = Stack.attach({STACK!r})"
SHOWS = "from prodigon_lib.widgets import {name}\npanel = {name}(stack)\npanel"


class Shown(Protocol):
    """A panel on a page."""

    @property
    def page(self) -> Page: ...

    @property
    def panel(self) -> Locator: ...

    def save(self) -> None:
        """What a learner does before a reload, so that the panel is there again."""

    def reload(self) -> None: ...


class Host(Protocol):
    def show(self, page: Page, panel: str, title: str) -> Shown:
        """The panel of that class; `title` is of this test alone."""


@dataclass(frozen=True)
class InLab:
    lab: Lab

    def show(self, page: Page, panel: str, title: str) -> Shown:
        return open_notebook(page, self.lab, title, [HOLDS, SHOWS.format(name=panel)])


@dataclass(frozen=True)
class Tab:
    """Of the page of `prodigon app`, which is made anew each time that it is loaded."""

    page: Page
    title: str

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("region", name=self.title, exact=True)

    def save(self) -> None:
        pass

    def reload(self) -> None:
        self.page.reload()
        expect(self.panel).to_be_visible(timeout=60_000)


@dataclass(frozen=True)
class InApp:
    app: RunningApp

    def show(self, page: Page, panel: str, title: str) -> Shown:
        self.app.open(page, TABS[panel].lower())
        shown = Tab(page, TABS[panel])
        expect(shown.panel).to_be_visible(timeout=60_000)
        return shown


@contextmanager
def held_stack(home: Path, name: str = STACK, **options: Any) -> Iterator[Stack]:
    """What the hosts show, held by the test too: the simulated model, at once, and what dies stays dead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODIGON_HOME", str(home))
        stack = Stack.start(name, profile="instant", restart="never", **options)
    with stack:
        yield stack
