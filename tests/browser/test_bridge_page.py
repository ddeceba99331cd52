"""What a kernel says in one breath, before a panel on a page of its own."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.panel_page import HELD, SYSTEM, PanelPage, show_panel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
AWAY = {"kind": "event", "name": "services", "value": {"away": {"model": "refused"}}}
SESSION = {"id": "s1", "title": "Queues", "system_prompt": None, "created_at": "2026-01-01T00:00:00Z"}
TURN = {"id": "t1", "session": "s1", "content": "What is a queue?", "state": "streaming"}


def show_chat(page: Page, **answers: Any) -> PanelPage:
    return show_panel(page, "chat", {"sessions": {"items": [SESSION], "next": None}, **answers})


def test_news_after_an_answer_stands(page: Page) -> None:
    """Who awaited the answer, which says that nothing is away, goes on before the news."""
    shown = show_chat(page, system=HELD)
    shown.tell(shown.answer("system", SYSTEM), AWAY)
    expect(shown.panel.locator(".banner")).to_contain_text("Away: model")
    page.wait_for_timeout(300)
    expect(shown.panel.locator(".banner")).to_contain_text("Away: model")


def test_an_answer_after_news_stands(page: Page) -> None:
    shown = show_chat(page, system=HELD)
    shown.tell(AWAY, shown.answer("system", SYSTEM))
    page.wait_for_timeout(300)
    expect(shown.panel.locator(".banner")).to_be_hidden()


def test_text_after_the_chat_was_opened_is_not_lost(page: Page) -> None:
    shown = show_chat(page, open=HELD)
    expect(shown.panel.get_by_role("textbox", name="Your message")).to_be_visible()
    page.wait_for_function("window.kernel.asks.some((ask) => ask.method === 'open')")
    opened = {"session": {**SESSION, "messages": []}, "turn": {**TURN, "text": "First in,"}}
    more = {"session": "s1", "turn": "t1", "at": 9}
    shown.tell(
        shown.answer("open", opened),
        {"kind": "event", "name": "text", "value": more, "text": " first out."},
    )
    expect(shown.panel.locator(".reply")).to_contain_text("First in, first out.")
    assert len(shown.asks("open")) == 1


def test_what_a_panel_cannot_deal_with_holds_nothing_up(page: Page) -> None:
    shown = show_chat(page)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(error.message))
    shown.tell({"kind": "event", "name": "turn", "value": None}, AWAY)
    expect(shown.panel.locator(".banner")).to_contain_text("Away: model")
    assert len(problems) == 1
