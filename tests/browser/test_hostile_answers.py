"""Nothing of what a hostile model answers runs, is fetched, or leaves its place."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, expect

from tests.browser.hostile import HOSTILE
from tests.browser.panel_page import PanelPage, show_panel
from tests.polling import eventually_sync

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SESSION = {"id": "s", "title": "t", "system_prompt": None, "updated_at": "", "message_count": 0}
ANSWERS = {"sessions": {"items": [], "next": None}, "open": None}
UNDRAWN = "code.maths:not(.open), .code-head > span:text-is('mermaid')"
LOOK = """
(panel) => {
  const root = panel.getRootNode();
  const bad = [];
  const forbidden = new Set(
    ("script iframe object embed form style link meta base input template noscript foreignobject use " +
      "animate set").split(" "));
  const addresses = new Set("href src srcset action data xlink:href formaction poster".split(" "));
  const harmless = /^(https?:|mailto:|data:image\\/svg\\+xml;base64,)/i;
  for (const element of root.querySelectorAll(".markdown *")) {
    const ours = element.closest(".formula, .code-head");
    if (forbidden.has(element.localName.toLowerCase())) bad.push(element.tagName);
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name)) bad.push(`${element.tagName} ${name}`);
      if (addresses.has(name.toLowerCase()) && !harmless.test(value)) bad.push(`${name}=${value}`);
      if (name === "style" && !ours && element.tagName !== "IMG") bad.push(`style=${value}`);
      if (name !== "alt" && /url\\(/i.test(value)) bad.push(value);
      if (name === "id") bad.push(`id=${value}`);
    }
  }
  for (const link of root.querySelectorAll(".markdown a"))
    if (link.rel !== "noopener noreferrer nofollow" || link.target !== "_blank") bad.push(link.outerHTML);
  const known = "meta, title, #prodigon-katex-fonts";
  const left = document.querySelectorAll(`body > :not(main), head > :not(${known})`);
  const told = [...left].map((element) => element.outerHTML.slice(0, 200));
  return { bad, hacked: window.hacked ?? null, left: told };
}
"""


@pytest.fixture(scope="module")
def shown(browser: Browser) -> Iterator[PanelPage]:
    context = browser.new_context()
    page = context.new_page()
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    yield show_panel(page, "chat", ANSWERS)
    assert dialogs == []
    context.close()


def turn(id: str, state: str, length: int) -> dict[str, Any]:
    ids = {"question_id": "q", "answer_id": "a", "request_id": None, "fault": None}
    return {"id": id, "session": "s", "content": "x", "state": state, "length": length, "meta": {}, **ids}


def look(shown: PanelPage) -> dict[str, Any]:
    """At what is there once maths and diagrams are drawn, or have been refused."""
    eventually_sync(lambda: shown.panel.locator(UNDRAWN).count() == 0, within=20)
    return shown.panel.evaluate(LOOK)


def clean(shown: PanelPage, found: dict[str, Any]) -> bool:
    assert found == {"bad": [], "hacked": None, "left": []}
    assert shown.strays == []
    return True


@pytest.mark.parametrize("name", HOSTILE)
def test_from_the_history(shown: PanelPage, name: str) -> None:
    message = {"id": "a", "role": "assistant", "content": HOSTILE[name], "meta": None}
    shown.answers(open={"session": {**SESSION, "messages": [message]}, "turn": None})
    shown.answers(sessions={"items": [SESSION], "next": None})
    shown.event("sessions", {})
    shown.panel.get_by_role("button", name="t", exact=True).click()
    expect(shown.panel.locator(".reply .foot")).to_be_visible()
    assert clean(shown, look(shown))


@pytest.mark.parametrize("name", HOSTILE)
def test_as_it_streams(shown: PanelPage, name: str) -> None:
    """Every beginning of it is shown on the way: a half of a thing must be as harmless as the whole."""
    text = HOSTILE[name] + "\n\nThe end."
    half = {**turn("live", "streaming", 0), "text": ""}
    shown.answers(open={"session": {**SESSION, "messages": []}, "turn": half})
    shown.answers(sessions={"items": [SESSION], "next": None})
    shown.event("sessions", {})
    shown.panel.get_by_role("button", name="t", exact=True).click()
    expect(shown.panel.get_by_role("button", name="Stop")).to_be_visible()
    shown.page.evaluate(
        """async (text) => {
          for (let at = 0; at < text.length; at += 3) {
            const value = { session: "s", turn: "live", at };
            window.kernel.tell([{ kind: "event", name: "text", value, text: text.slice(at, at + 3) }]);
            await new Promise(requestAnimationFrame);
          }
        }""",
        text,
    )
    assert clean(shown, shown.panel.evaluate(LOOK))
    shown.event("turn", turn("live", "done", len(text)))
    expect(shown.panel.locator(".markdown")).to_contain_text("The end.")
    assert clean(shown, look(shown))
