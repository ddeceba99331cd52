"""The chat panel's look and its use by keyboard and screen reader, on a page of its own."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.panel_page import PanelPage, show_panel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
AXE = (Path(__file__).parent / "assets" / "axe-core-4.14.1.min.js").read_text()
WIDTHS = (400, 620, 1000, 1600)
ANSWER = """\
## Little's law

The number in a system is the rate times the **time** each one stays: $L = \\lambda W$.

| part | rate |
| --- | ---: |
| gateway | 20 |

```python
def wait(length, rate):
    return length / rate  # seconds
```

> A queue that grows without end is a *fault*, see [this](https://example.test/queue).

```mermaid
graph LR
  Gateway --> Queue --> Worker
```
"""
META = {
    "model": "small",
    "usage": {"prompt_tokens": 3, "completion_tokens": 90, "total_tokens": 93},
    "first_token_ms": 180.0,
    "duration_ms": 500.0,
}
HEAR = """
() => {
  const root = document.querySelector("[data-lm-suppress-shortcuts]").shadowRoot;
  const status = root.querySelector(".conversation [role=status]");
  window.heard = [];
  new MutationObserver(() => window.heard.push(status.textContent)).observe(status, { childList: true });
}
"""
SESSIONS = [
    {"id": f"s{place}", "title": title, "system_prompt": None, "updated_at": "", "message_count": 2}
    for place, title in enumerate(
        ["Little's law", "A very long title of a chat about queues, leases and retries"]
    )
]
MESSAGES = [
    {"id": "m1", "role": "user", "content": "Explain Little's law", "meta": None},
    {"id": "m2", "role": "assistant", "content": ANSWER, "meta": META},
]
SETTINGS = {"options": {"temperature": 0.7, "max_tokens": 1024}, "most_tokens": 8192}
ANSWERS: dict[str, Any] = {
    "sessions": {"items": SESSIONS, "next": None},
    "open": {"session": {**SESSIONS[0], "messages": MESSAGES}, "turn": None},
    "settings": SETTINGS,
    "models": ["small", "large"],
    "ask": {"session": "s0", "made": None},
}


def show(page: Page, width: int = 1300, theme: str = "light") -> PanelPage:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    shown = show_panel(page, "chat", ANSWERS)
    expect(shown.panel.locator(".diagram-image img")).to_be_visible(timeout=20_000)
    expect(shown.panel.locator(".formula .katex-html")).to_be_attached()
    return shown


def faults(page: Page, part: str = "main") -> list[str]:
    """What axe-core finds serious or critical in a part of the page, given by its selector."""
    page.evaluate(AXE)
    look = "part => axe.run(document.querySelector(part), { resultTypes: ['violations'] })"
    found = page.evaluate(look, part)
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0].get('failureSummary', '')[:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, tmp_path: Path, theme: str) -> None:
    shown = show(page, theme=theme)
    assert shown.panel.get_attribute("data-theme") == theme
    assert faults(page) == []
    page.screenshot(path=tmp_path / f"{theme}.png")
    shown.event("services", {"away": {"model": "refused"}})
    shown.panel.get_by_role("button", name="Settings").click()
    expect(shown.panel.get_by_role("option", name="large")).to_be_attached()
    assert faults(page) == []
    page.screenshot(path=tmp_path / f"{theme}-settings.png")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits(page: Page, tmp_path: Path, width: int) -> None:
    shown = show(page, width)
    page.screenshot(path=tmp_path / f"{width}.png")
    wider = "element => element.scrollWidth - element.clientWidth"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert shown.panel.evaluate(wider) <= 0
    assert shown.panel.locator(".log").evaluate(wider) <= 0
    visible = shown.panel.get_by_role("navigation", name="Chats").is_visible()
    assert visible is (width >= 720)
    if not visible:
        shown.panel.get_by_role("button", name="Chats", exact=True).click()
        expect(shown.panel.get_by_role("navigation", name="Chats")).to_be_visible()
        page.screenshot(path=tmp_path / f"{width}-chats.png")
        page.keyboard.press("Escape")
        expect(shown.panel.get_by_role("navigation", name="Chats")).to_be_hidden()


def focused(page: Page) -> str:
    """The name of what has the focus."""
    return page.evaluate(
        "() => { const e = document.querySelector('[data-lm-suppress-shortcuts]').shadowRoot.activeElement;"
        " return e ? e.getAttribute('aria-label') ?? e.textContent : ''; }"
    )


def tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        if focused(page) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {name!r}")


def test_by_keyboard_alone(page: Page) -> None:
    shown = show(page)
    tab_to(page, "Your message")
    page.keyboard.type("One")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Two")
    assert shown.asks("ask") == []
    page.keyboard.press("Enter")
    (asked,) = shown.asks("ask")
    assert (asked["content"], asked["session"]) == ("One\nTwo", "s0")
    page.keyboard.press("Escape")
    assert shown.asks("stop") == [{"session": "s0"}]
    tell_end(shown, asked["turn"])
    page.keyboard.press("Shift+Tab")
    tab_to(page, "Settings")
    page.keyboard.press("Enter")
    expect(shown.panel.get_by_role("dialog", name="Settings")).to_be_visible()
    page.keyboard.press("Escape")
    expect(shown.panel.get_by_role("dialog", name="Settings")).to_be_hidden()
    assert focused(page) == "Settings"


def tell_end(shown: PanelPage, turn: str) -> None:
    known = {"question_id": "q", "answer_id": "a", "request_id": "r", "fault": None, "content": "One\nTwo"}
    at = {"session": "s0", "turn": turn, "at": 0}
    shown.event("text", at, text="Fine.")
    shown.event("turn", {"id": turn, "session": "s0", "state": "done", "length": 5, "meta": META, **known})
    expect(shown.panel.locator(".reply .markdown").last).to_have_text("Fine.")


def test_chats_are_renamed_and_deleted_by_keyboard(page: Page) -> None:
    shown = show(page)
    tab_to(page, "Rename Little's law")
    page.keyboard.press("Enter")
    page.keyboard.type("Queues")
    page.keyboard.press("Enter")
    assert shown.asks("change") == [{"session": "s0", "title": "Queues"}]
    tab_to(page, "Delete Queues")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert shown.asks("delete") == []
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert shown.asks("delete") == [{"session": "s0"}]


def test_a_screen_reader_hears_the_beginning_and_the_end(page: Page) -> None:
    shown = show(page)
    page.evaluate(HEAR)
    tab_to(page, "Your message")
    page.keyboard.type("Go")
    page.keyboard.press("Enter")
    turn = shown.asks("ask")[0]["turn"]
    for place in range(20):
        shown.event("text", {"session": "s0", "turn": turn, "at": place}, text="x")
    known = {"question_id": "q", "answer_id": "a", "request_id": "r", "fault": None, "content": "Go"}
    shown.event("turn", {"id": turn, "session": "s0", "state": "done", "length": 20, "meta": META, **known})
    expect(shown.panel.locator(".stats").last).to_contain_text("90 tokens")
    assert page.evaluate("window.heard") == ["The model answers.", "The answer is complete. " + "x" * 20]
    assert shown.panel.get_by_role("log").get_attribute("aria-live") == "off"


def test_the_theme_follows_jupyterlab(page: Page) -> None:
    shown = show(page)
    picture = shown.panel.locator(".diagram-image img")
    before = picture.get_attribute("src")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(shown.panel).to_have_attribute("data-theme", "dark")
    expect(picture).not_to_have_attribute("src", before or "")
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    expect(shown.panel).to_have_attribute("data-theme", "light")


def test_what_was_missed_is_fetched(page: Page) -> None:
    """A text that does not fit to what is there: the chat is opened again."""
    shown = show(page)
    tab_to(page, "Your message")
    page.keyboard.type("Go")
    page.keyboard.press("Enter")
    opened = len(shown.asks("open"))
    turn = shown.asks("ask")[0]["turn"]
    shown.event("text", {"session": "s0", "turn": turn, "at": 7}, text="late")
    expect(shown.panel.locator(".entry")).to_have_count(2)
    assert len(shown.asks("open")) == opened + 1


def test_a_fault_is_told_and_can_be_tried_again(page: Page) -> None:
    shown = show(page)
    tab_to(page, "Your message")
    page.keyboard.type("Go")
    page.keyboard.press("Enter")
    turn = shown.asks("ask")[0]["turn"]
    fault = {
        "code": "SERVICE_UNAVAILABLE",
        "message": "the model is away",
        "retryable": True,
        "request_id": "r1",
    }
    known = {"question_id": "q", "answer_id": None, "request_id": "r1", "fault": fault, "content": "Go"}
    shown.event("turn", {"id": turn, "session": "s0", "state": "failed", "length": 0, "meta": {}, **known})
    expect(shown.panel.locator(".note.fault")).to_contain_text("the model is away request r1")
    shown.panel.get_by_role("button", name="Try again").click()
    assert shown.asks("again")[0]["session"] == "s0"


def test_an_empty_panel_offers_a_beginning(page: Page) -> None:
    shown = show_panel(page, "chat", {**ANSWERS, "sessions": {"items": [], "next": None}})
    shown.panel.get_by_role("button", name="What is back-pressure?").click()
    assert shown.asks("ask")[0]["session"] is None


def test_a_kernel_that_says_nothing_is_told_and_forgotten_when_it_speaks(page: Page) -> None:
    page.clock.install()
    shown = show(page)  # all that it asks for is there: the kernel has nothing to say any more
    banner = shown.panel.locator(".banner")
    expect(banner).to_be_hidden()
    page.clock.run_for(40_000)
    expect(banner).to_contain_text("The kernel is busy or has stopped")
    shown.tell({"kind": "alive", "unknown": []})
    expect(banner).to_be_hidden()
