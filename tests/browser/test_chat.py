"""The chat panel as a learner uses it, in a real JupyterLab."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.panels import STARTS, Notebook, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
SHOWS = "from prodigon_lib.widgets import ChatPanel\npanel = ChatPanel(stack)\npanel"


def open_chat(page: Page, lab: Lab, name: str) -> Notebook:
    opened = open_notebook(page, lab, name, [STARTS.format(name=name), SHOWS])
    expect(writing(opened.panel)).to_be_visible()
    return opened


def writing(panel: Locator) -> Locator:
    return panel.get_by_role("textbox", name="Your message")


def say(panel: Locator, words: str) -> None:
    """Send, and wait until the answer is whole."""
    before = panel.locator(".reply .stats:not(:empty)").count()
    box = writing(panel)
    box.fill(words)
    box.press("Enter")
    expect(panel.locator(".reply .stats:not(:empty)")).to_have_count(before + 1, timeout=30_000)


def last_answer(panel: Locator) -> Locator:
    return panel.locator(".reply .markdown").last


def test_three_turns_and_the_model_knows_the_first_also_after_a_reload(page: Page, workshop: Lab) -> None:
    opened = open_chat(page, workshop, "turns")
    say(opened.panel, "My name is Ada Lovelace")
    say(opened.panel, "What is a queue?")
    say(opened.panel, "What is my name?")
    expect(last_answer(opened.panel)).to_contain_text("Ada Lovelace")
    assert "tokens/s" in opened.panel.locator(".stats").nth(1).inner_text()
    opened.save()
    opened.reload()
    expect(opened.panel.locator(".entry")).to_have_count(6, timeout=30_000)
    expect(last_answer(opened.panel)).to_contain_text("Ada Lovelace")
    say(opened.panel, "How many questions did I ask?")
    expect(last_answer(opened.panel)).to_contain_text("4")
