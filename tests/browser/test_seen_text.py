"""What is shown and copied is what is seen, and a link says where it leads."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.panel_page import PanelPage, show_panel
from tests.hidden_texts import HIDING, WHOLE, tags

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SESSION = {"id": "s", "title": "t", "system_prompt": None, "updated_at": "", "message_count": 0}
REMEMBER_COPIED = """
() => { HTMLTextAreaElement.prototype.select = function () { window.copied = this.value; }; }
"""


@pytest.fixture
def shown(browser: Browser) -> Iterator[PanelPage]:
    context = browser.new_context()
    page = context.new_page()
    yield show_panel(page, "chat", {"sessions": {"items": [], "next": None}, "open": None})
    context.close()


def open_chat(shown: PanelPage, messages: list[dict[str, Any]], turn: dict[str, Any] | None = None) -> None:
    shown.answers(open={"session": {**SESSION, "messages": messages}, "turn": turn})
    shown.answers(sessions={"items": [SESSION], "next": None})
    shown.event("sessions", {})
    shown.panel.get_by_role("button", name="t", exact=True).click()


def said(content: str, role: str = "assistant") -> dict[str, Any]:
    return {"id": content[:20], "role": role, "content": content, "meta": None}


def words(text: str) -> str:
    """As a page shows them: however many spaces are one."""
    return " ".join(text.split())


@pytest.mark.parametrize("role", ["assistant", "user"])
def test_nothing_hidden_is_shown_or_copied_and_no_language_loses_anything(
    shown: PanelPage, role: str
) -> None:
    texts = {**HIDING, **{name: (text, text) for name, text in WHOLE.items()}}
    open_chat(shown, [said(f"{text}\n\nEnd.", role) for text, _ in texts.values()])
    kind = ".reply" if role == "assistant" else ".question"
    entries = shown.panel.locator(kind)
    expect(entries).to_have_count(len(texts))
    if role == "assistant":
        expect(entries.locator("p").filter(has_text="End.")).to_have_count(len(texts))
    seen = entries.locator(".markdown, .said").all_text_contents()
    wanted = {name: words(f"{text} End.") for name, (_, text) in texts.items()}
    assert dict(zip(texts, map(words, seen), strict=True)) == wanted
    shown.page.evaluate(REMEMBER_COPIED)
    for place, (name, (text, seen_text)) in enumerate(texts.items()):
        entry = entries.nth(place)
        expect(entry.get_by_text("hidden character")).to_have_count(int(text != seen_text))
        entry.get_by_role("button", name="Copy").first.click()
        copied = shown.page.evaluate("window.copied")
        assert (name, words(copied)) == (name, wanted[name])


def test_a_stream_is_shown_as_it_is_seen(shown: PanelPage) -> None:
    """Each piece ends amid something that takes its neighbours to tell."""
    text = (
        f"A fine day.{tags('read chat 2')} " + " ".join(WHOLE.values()) + "\n\n- one\u200b\n- two\n\nThe end."
    )
    turn = {"id": "live", "session": "s", "content": "x", "state": "streaming", "length": 0, "meta": {}}
    turn |= {"question_id": "q", "answer_id": "a", "request_id": None, "fault": None}
    open_chat(shown, [], {**turn, "text": ""})
    expect(shown.panel.get_by_role("button", name="Stop")).to_be_visible()
    shown.page.evaluate(
        """async (text) => {
          const characters = [...text];
          for (let at = 0; at < characters.length; at += 3) {
            const value = { session: "s", turn: "live", at };
            const piece = characters.slice(at, at + 3).join("");
            window.kernel.tell([{ kind: "event", name: "text", value, text: piece }]);
            await new Promise(requestAnimationFrame);
          }
        }""",
        text,
    )
    shown.event("turn", {**turn, "state": "done", "length": len(text)})
    answer = shown.panel.locator(".reply .markdown")
    expect(answer).to_contain_text("The end.")
    whole = words("A fine day. " + " ".join(WHOLE.values()) + " one two The end.")
    assert words(" ".join(answer.locator("p, li").all_text_contents())) == whole
    expect(answer.locator("li")).to_have_count(2)


LINKS = {
    "[the bank](https://evil.test/bank?said=secret)": "the bank (evil.test)",
    "[https://bank.test](https://evil.test/)": "https://bank.test (evil.test)",
    "[bank.test](https://bank.test@evil.test/)": "bank.test (evil.test)",
    "[evil.test.bank.test](https://evil.test/)": "evil.test.bank.test (evil.test)",
    "[b\u0430nk](https://b\u0430nk.test/)": "b\u0430nk (xn--bnk-6cd.test)",
    '[x](https://evil.test/ "https://bank.test/")': "x (evil.test)",
    "![a picture](https://evil.test/p.png)": "a picture (evil.test)",
    "[write](mailto:evil@evil.test?body=secret)": "write (evil@evil.test)",
    "https://evil.test/a": "https://evil.test/a",
    "<https://evil.test>": "https://evil.test",
}


def test_a_link_says_where_it_leads_and_nobody_asks_before_it_is_followed(shown: PanelPage) -> None:
    open_chat(shown, [said(text) for text in LINKS])
    answers = shown.panel.locator(".reply .markdown")
    expect(answers.locator("a")).to_have_count(len(LINKS))
    assert [words(text) for text in answers.all_text_contents()] == list(LINKS.values())
    titles = answers.locator("a").evaluate_all("links => links.map(({ title, href }) => [title, href])")
    assert len(titles) == len(LINKS)
    assert all(title == address for title, address in titles)
    control = 'meta[http-equiv="x-dns-prefetch-control"][content="off"]'
    expect(shown.page.locator(control)).to_have_count(1)
    assert shown.strays == []
