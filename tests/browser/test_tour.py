"""The tour in a real JupyterLab: opened, run from top to bottom, looked at."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import lab
from tests.polling import eventually_sync

TOUR = "00_start_here.ipynb"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_run_all_ends_without_an_error(page: Page, tmp_path: Path) -> None:
    with lab(tmp_path / "workshop") as running:
        forget_outputs(running.folder / "notebooks" / TOUR)
        page.goto(running.page(TOUR))
        expect(page.get_by_role("heading", name="0 · Start here")).to_be_visible(timeout=60_000)
        eventually_sync(running.kernels_idle, within=60, every=0.2)
        expect(page.get_by_text("Jupyter news")).to_have_count(0)  # nothing asks for the network
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        saved = running.folder / "notebooks" / TOUR
        cells = eventually_sync(lambda: finished_cells(page, saved), within=150, every=2.0)
        look(page, tmp_path)
    errors = [out["evalue"] for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert errors == []
    pictures = sum("image/svg+xml" in out.get("data", {}) for cell in cells for out in cell["outputs"])
    assert pictures >= 4


def look(page: Page, folder: Path) -> None:
    """Pictures of the whole notebook, screen by screen, for whoever wants to see it."""
    page.keyboard.press("Escape")
    scroller = page.locator(".jp-WindowedPanel-outer").first
    scroller.evaluate("element => element.scrollTo(0, 0)")
    for number in range(20):
        page.wait_for_timeout(150)  # the notebook draws cells as they come into view
        page.screenshot(path=folder / f"screen-{number:02}.png")
        moved = scroller.evaluate(
            "element => { const before = element.scrollTop; element.scrollBy(0, element.clientHeight - 60);"
            " return element.scrollTop > before; }"
        )
        if not moved:
            break


def forget_outputs(path: Path) -> None:
    """As a learner has it who cleared everything: what is there afterwards came from this run."""
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    path.write_text(json.dumps(notebook))


def finished_cells(page: Page, saved: Path) -> list[dict]:
    """The code cells once the last has run; the notebook is saved first, as Ctrl+S does."""
    page.keyboard.press("Control+s")
    if not (text := saved.read_text()):  # just being written
        return []
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    fresh = [cell["execution_count"] for cell in cells]
    failed = any(out["output_type"] == "error" for cell in cells for out in cell["outputs"])
    return cells if failed or fresh == list(range(1, len(cells) + 1)) else []
