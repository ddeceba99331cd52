"""The chat panel as a learner uses it, in a real JupyterLab and in `prodigon app`."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from prodigon_lib import Stack
from tests.browser.hostile import HOSTILE
from tests.browser.hosts import HOLDS, SHOWS, Host, InLab, Shown
from tests.browser.lab import Lab
from tests.browser.panels import open_notebook
from tests.browser.test_hostile_answers import LOOK, UNDRAWN
from tests.polling import eventually_sync

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
AT_LENGTH = "Tell me about queues, in 20 sentences"


def open_chat(host: Host, page: Page, title: str) -> Shown:
    opened = host.show(page, "ChatPanel", title)
    expect(writing(opened.panel)).to_be_visible()
    return opened


def writing(panel: Locator) -> Locator:
    return panel.get_by_role("textbox", name="Your message")


def begin(panel: Locator, words: str) -> None:
    """Send."""
    writing(panel).fill(words)
    writing(panel).press("Enter")


def say(panel: Locator, words: str) -> None:
    """Send, and wait until the answer is whole."""
    before = panel.locator(".reply .stats:not(:empty)").count()
    begin(panel, words)
    expect(panel.locator(".reply .stats:not(:empty)")).to_have_count(before + 1, timeout=30_000)


def new_chat(panel: Locator) -> None:
    panel.get_by_role("button", name="New chat").click()
    expect(panel.locator(".entry")).to_have_count(0)


def last_answer(panel: Locator) -> Locator:
    return panel.locator(".reply .markdown").last


def test_three_turns_and_the_model_knows_the_first_also_after_a_reload(page: Page, host: Host) -> None:
    opened = open_chat(host, page, "turns")
    new_chat(opened.panel)
    say(opened.panel, "My name is Ada Lovelace")
    say(opened.panel, "What is a queue?")
    say(opened.panel, "What is my name?")
    expect(last_answer(opened.panel)).to_contain_text("Ada Lovelace")
    assert "first token after" in opened.panel.locator(".stats").nth(1).inner_text()
    opened.save()
    opened.reload()
    expect(opened.panel.locator(".entry")).to_have_count(6, timeout=30_000)
    expect(last_answer(opened.panel)).to_contain_text("Ada Lovelace")
    assert "first token after" in opened.panel.locator(".stats").nth(1).inner_text()
    say(opened.panel, "How many questions did I ask?")
    expect(last_answer(opened.panel)).to_contain_text("4")


def test_a_second_browser_and_a_new_kernel_find_the_chat(
    page: Page, browser: Browser, workshop: Lab, stack: Stack
) -> None:
    opened = open_chat(InLab(workshop), page, "first")
    new_chat(opened.panel)
    say(opened.panel, "What is a lease, Grace?")
    context = browser.new_context()
    other = open_chat(InLab(workshop), context.new_page(), "second")
    other.panel.get_by_role("searchbox").fill("Grace")
    other.panel.get_by_role("button", name="What is a lease, Grace?", exact=True).click()
    expect(last_answer(other.panel)).not_to_be_empty()
    assert last_answer(other.panel).inner_text() == last_answer(opened.panel).inner_text()
    context.close()


def test_a_restarted_kernel_finds_the_chat_when_its_cells_run_again(
    page: Page, workshop: Lab, stack: Stack
) -> None:
    panel = open_chat(InLab(workshop), page, "restarted").panel
    new_chat(panel)
    say(panel, "My cat is called Ada")
    panel.evaluate("element => element.dataset.before = 'the restart'")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells", exact=False).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(panel).not_to_have_attribute("data-before", "the restart", timeout=60_000)
    expect(panel.locator(".question")).to_have_text("My cat is called Ada", timeout=60_000)
    say(panel, "What is my cat called?")
    expect(panel.locator(".entry")).to_have_count(4)


def test_stop_keeps_what_was_written_and_edit_and_again_ask_anew(
    page: Page, host: Host, stack: Stack
) -> None:
    opened = open_chat(host, page, "stop")
    panel = opened.panel
    new_chat(panel)
    stack.simulated.set(profile="groq-llama-3.3-70b")
    begin(panel, AT_LENGTH)
    panel.locator(".reply .markdown p").wait_for()
    writing(panel).press("Escape")
    expect(panel.locator(".stats")).to_contain_text("stopped")
    kept = last_answer(panel).inner_text()
    stack.simulated.set(profile="instant")
    opened.save()
    opened.reload()
    expect(last_answer(panel)).to_have_text(kept, use_inner_text=True)
    panel.get_by_role("button", name="Answer again").click()
    expect(panel.locator(".stats")).not_to_contain_text("stopped")
    expect(panel.locator(".stats")).to_contain_text("tokens")
    assert len(last_answer(panel).inner_text()) > len(kept)
    panel.get_by_role("button", name="Edit and send again").click()
    edit = panel.get_by_role("textbox", name="Edit your message")
    edit.fill("My dog is called Rex")
    edit.press("Enter")
    expect(panel.locator(".question")).to_have_text("My dog is called Rex")
    expect(panel.locator(".stats")).to_contain_text("tokens")
    with stack.client() as client:
        newest = next(client.sessions())
        assert client.session(newest.id).messages[0].content == "My dog is called Rex"


def test_a_killed_service_the_banner_and_recovery(page: Page, host: Host, stack: Stack) -> None:
    panel = open_chat(host, page, "killed").panel
    new_chat(panel)
    banner = panel.locator(".banner")
    expect(banner).to_be_hidden()
    stack.kill("model")
    expect(banner).to_contain_text("model", timeout=15_000)
    begin(panel, "What is a queue?")
    expect(panel.locator(".note.fault")).to_be_visible(timeout=15_000)
    stack.restart_service("model")
    expect(banner).to_be_hidden(timeout=15_000)
    panel.get_by_role("button", name="Try again").click()
    expect(panel.locator(".stats")).to_contain_text("tokens", timeout=15_000)
    assert panel.locator(".entry").count() == 2


def test_an_answer_streams_while_a_cell_runs(page: Page, workshop: Lab, stack: Stack) -> None:
    opened = open_notebook(page, workshop, "busy", [HOLDS, SHOWS.format(name="ChatPanel"), "1"])
    panel = opened.panel
    new_chat(panel)
    page.locator(".jp-CodeCell .cm-content").nth(2).click()
    page.keyboard.press("Control+a")
    page.keyboard.type("import time; time.sleep(20)")
    page.keyboard.press("Control+Enter")
    running = page.locator(".jp-CodeCell").nth(2).locator(".jp-InputPrompt")
    expect(running).to_have_text("[*]:")
    say(panel, "What is a queue?")
    expect(running).to_have_text("[*]:", timeout=1)
    assert "tokens" in panel.locator(".stats").inner_text()


def test_jupyterlabs_keys_do_nothing_in_the_panel(page: Page, workshop: Lab, stack: Stack) -> None:
    panel = open_chat(InLab(workshop), page, "keys").panel
    cells = page.locator(".jp-Cell").count()
    for place in (panel.locator(".log"), panel.get_by_role("button", name="New chat"), writing(panel)):
        place.focus()
        for key in ("d", "d", "b", "x", "Enter", "Shift+Enter"):
            page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    expect(page.locator(".jp-Dialog")).to_have_count(0)


def test_no_hostile_answer_does_harm(page: Page, host: Host, stack: Stack) -> None:
    """All of them in one chat; each alone, and as it streams, is tested before a page of its own."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with stack.client() as client:
        session = client.create_session("hostile")
        for text in HOSTILE.values():
            client.add_message(session.id, "assistant", text)
    panel = open_chat(host, page, "hostile").panel
    expect(panel.locator(".reply")).to_have_count(len(HOSTILE), timeout=30_000)
    eventually_sync(lambda: panel.locator(UNDRAWN).count() == 0, within=30)
    found = panel.evaluate(LOOK)
    assert (found["bad"], found["hacked"]) == ([], None)
    assert not [url for url in asked if "evil.test" in url]
