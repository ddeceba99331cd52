"""A notebook with a panel in a real JupyterLab."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import TOKEN, Lab
from tests.polling import eventually_sync

STARTS = "from prodigon_lib import Stack\nstack = Stack.start({name!r}, profile='instant', restart='never')"
"""A first cell for tests that change the system: the simulated model, at once, and what dies stays dead."""


@dataclass
class Notebook:
    """An open notebook. The page's first panel is `panel`; Playwright looks through its shadow root."""

    page: Page
    lab: Lab
    path: Path

    @property
    def panel(self) -> Locator:
        return self.page.locator(".panel").first

    def run_all(self) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()

    def save(self) -> None:
        """As one does before a reload: what was shown comes back from the saved notebook."""
        before = self.path.stat().st_mtime_ns
        self.page.get_by_role("menuitem", name="File", exact=True).click()
        self.page.get_by_role("menuitem", name="Save Notebook", exact=False).first.click()
        eventually_sync(lambda: self.path.stat().st_mtime_ns != before)

    def use_dark_theme(self) -> None:
        self.page.get_by_role("menuitem", name="Settings", exact=True).click()
        self.page.get_by_text("Theme", exact=True).click()
        self.page.get_by_text("JupyterLab Dark", exact=True).click()

    def reload(self) -> None:
        self.page.reload()
        expect(self.panel).to_be_visible(timeout=60_000)


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    code = [
        {
            "cell_type": "code",
            "id": f"cell-{place}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": source,
        }
        for place, source in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": code, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def open_notebook(
    page: Page, lab: Lab, name: str, cells: Sequence[str], *, shows: str = ".panel"
) -> Notebook:
    """Write `name`.ipynb with these code cells, open and run it; returns when what it shows is there."""
    path = lab.folder / "notebooks" / f"{name}.ipynb"
    write_notebook(path, cells)
    page.goto(f"{lab.url}/lab/workspaces/{name}/tree/notebooks/{name}.ipynb?token={TOKEN}")
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
    opened = Notebook(page, lab, path)
    opened.run_all()
    expect(page.locator(shows).first).to_be_visible(timeout=60_000)
    return opened
