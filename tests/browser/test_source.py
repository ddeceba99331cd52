"""Source that a lesson shows, in a real JupyterLab: long lines scroll, by keys too, and no word is broken."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.panels import open_notebook
from tests.browser.test_chat_page import faults

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
SHOWS = """from prodigon_lib.workshop.source import show_source
show_source("security/tokens.py", "AccessTokens")"""
LINES = "element => element.textContent.trimEnd().split('\\n').length"
HEIGHT_IN_LINES = """element => {
  const style = getComputedStyle(element);
  const around = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
  const bar = element.offsetHeight - element.clientHeight;
  return Math.round((element.offsetHeight - bar - around) / parseFloat(style.lineHeight));
}"""


def test_long_lines_scroll_in_both_themes_and_on_a_narrow_page(
    page: Page, workshop: Lab, tmp_path: Path
) -> None:
    opened = open_notebook(page, workshop, "source", [SHOWS], shows=".jp-OutputArea-output pre")
    block = page.locator(".jp-OutputArea-output pre")
    assert_no_line_is_broken(block)
    assert faults(page, ".jp-OutputArea-output") == []
    page.screenshot(path=tmp_path / "wide.png")
    opened.use_dark_theme()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false", timeout=30_000)
    assert faults(page, ".jp-OutputArea-output") == []
    page.screenshot(path=tmp_path / "dark.png")
    page.keyboard.press("Control+b")  # the list of files would leave no room
    page.set_viewport_size({"width": 400, "height": 900})
    assert_no_line_is_broken(block)
    assert block.evaluate("element => element.scrollWidth > element.clientWidth")
    block.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("element => element.scrollLeft > 0", arg=block.element_handle())
    page.screenshot(path=tmp_path / "narrow.png")


def assert_no_line_is_broken(block: Locator) -> None:
    assert block.evaluate(HEIGHT_IN_LINES) == block.evaluate(LINES)
