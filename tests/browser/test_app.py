"""The page of `prodigon app`, in a real browser, with a real stack behind it."""

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from prodigon_lib import Stack
from tests.browser.app_page import FORGETS, RunningApp, running_app
from tests.browser.hosts import STACK
from tests.browser.lab import Lab
from tests.browser.test_chat import say
from tests.browser.test_chat_page import faults
from tests.browser.test_jobs_panel import state, submit
from tests.polling import eventually_sync

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
TABS = ["Start", "Chat", "Jobs", "Dashboard", "Trace"]
FOCUSED = """
() => {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return focused?.getAttribute("aria-label") ?? (focused?.labels?.[0] ?? focused)?.textContent;
}
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("app"), None, FORGETS) as running:
        yield running


def go_to(shown: Locator, tab: str) -> None:
    """With what it shows, where that takes a moment."""
    shown.get_by_role("tab", name=tab, exact=True).click()
    if tab == "Start":
        expect(shown.locator(".lessons > li").first).to_be_visible(timeout=30_000)
    if tab == "Dashboard":
        expect(shown.get_by_role("region", name="worker")).to_be_visible(timeout=30_000)


def test_it_wants_its_token_and_asks_nothing_of_the_network(page: Page, app: RunningApp) -> None:
    with urllib.request.urlopen(app.url, timeout=10) as answer:
        assert "/login" in answer.url
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    app.open(page)
    assert [url for url in asked if not url.startswith((app.url, "data:", "about:", "blob:"))] == []
    assert page.title() == "Start · Prodigon"


def test_the_landing_page_lists_every_lesson_and_says_how_to_open_it(page: Page, app: RunningApp) -> None:
    shown = app.open(page)
    lessons = shown.get_by_role("list", name="Lessons", exact=True).locator("> li")
    names = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    expect(lessons).to_have_count(len(names), timeout=30_000)
    for place, name in enumerate(names):
        expect(lessons.nth(place)).to_contain_text(f"notebooks/{name}")
    expect(lessons.nth(1)).to_contain_text("not begun")
    expect(shown.get_by_text("exercises passed")).to_be_visible()
    expect(shown.get_by_text("prodigon lab")).to_be_visible()


def test_tabs_by_keyboard_a_chat_turn_and_a_job_on_one_stack(page: Page, app: RunningApp) -> None:
    shown = app.open(page)
    shown.get_by_role("tab", name="Start").focus()
    for name in TABS[1:]:
        page.keyboard.press("ArrowRight")
        assert page.evaluate(FOCUSED) == name
        expect(shown.get_by_role("region", name=name, exact=True)).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    chat = shown.get_by_role("region", name="Chat", exact=True)
    say(chat, "My name is Ada Lovelace")
    page.reload()
    expect(chat.locator(".entry")).to_have_count(2, timeout=60_000)
    shown.get_by_role("tab", name="Jobs").click()
    jobs = shown.get_by_role("region", name="Jobs", exact=True)
    submit(jobs, ["What is a lease?", "What is a queue?"])
    expect(state(jobs)).to_have_text("completed · 2 of 2", timeout=60_000)
    shown.get_by_role("tab", name="Trace").click()
    expect(shown.get_by_text("POST /api/v1/jobs").first).to_be_visible(timeout=30_000)
    assert app.stacks().count("gateway") == 1


def test_the_palette_goes_anywhere_from_inside_a_panel(page: Page, app: RunningApp) -> None:
    shown = app.open(page, "jobs")
    expect(shown.locator(".lessons > li")).not_to_have_count(0, timeout=30_000)
    dialog = shown.get_by_role("dialog", name="Command palette")
    prompts = shown.get_by_label("Prompts, one a line")
    prompts.press("Control+k")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(prompts).to_be_focused()
    prompts.press("Control+k")
    page.keyboard.type("chat new")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(shown.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("dashboard")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(shown.get_by_role("tab", name="Faults")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("lesson grpc")
    page.keyboard.press("Enter")
    expect(shown.locator(".lessons > li").nth(1)).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")
    expect(dialog.get_by_text("Nothing of that name.")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(dialog).to_be_hidden()


def press_tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        if page.evaluate(FOCUSED) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {name!r}")


def go_by_keys(page: Page, tab: str) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type(f"tab {tab}")
    page.keyboard.press("Enter")


def test_a_chat_a_job_and_a_trouble_by_keyboard_alone(page: Page, app: RunningApp) -> None:
    shown = app.open(page)
    go_by_keys(page, "chat")
    press_tab_to(page, "Your message")
    before = shown.locator(".reply .stats:not(:empty)").count()
    page.keyboard.type("What is a queue?")
    page.keyboard.press("Enter")
    expect(shown.locator(".reply .stats:not(:empty)")).to_have_count(before + 1, timeout=30_000)
    go_by_keys(page, "jobs")
    press_tab_to(page, "Prompts, one a line")
    page.keyboard.type("What is a lease?")
    press_tab_to(page, "Submit")
    page.keyboard.press("Enter")
    jobs = shown.get_by_role("region", name="Jobs", exact=True)
    expect(state(jobs)).to_have_text("completed · 1 of 1", timeout=60_000)
    go_by_keys(page, "dashboard")
    press_tab_to(page, "Logs")
    page.keyboard.press("ArrowRight")
    slow = shown.get_by_role("checkbox", name="Slow")
    expect(slow).to_be_visible(timeout=20_000)
    press_tab_to(page, "Slow")
    page.keyboard.press("Space")
    expect(slow).to_be_checked()
    press_tab_to(page, "Undo everything")
    page.keyboard.press("Enter")
    expect(slow).not_to_be_checked(timeout=20_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, tmp_path: Path, app: RunningApp, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    shown = app.open(page)
    for tab in TABS:
        go_to(shown, tab)
        frame = shown if tab == "Start" else shown.get_by_role("region", name=tab, exact=True)
        expect(frame).to_have_attribute("data-theme", theme)
        page.screenshot(path=tmp_path / f"{tab}-{theme}.png")
        assert faults(page) == []
    page.keyboard.press("Control+k")
    expect(shown.get_by_role("option").first).to_be_visible()
    page.screenshot(path=tmp_path / f"palette-{theme}.png")
    assert faults(page) == []


def test_what_is_longer_than_the_window_is_scrolled_to(page: Page, app: RunningApp) -> None:
    page.set_viewport_size({"width": 400, "height": 500})
    shown = app.open(page, "dashboard")
    logs = shown.get_by_role("tab", name="Logs")
    expect(shown.get_by_role("region", name="worker")).to_be_visible(timeout=30_000)
    expect(logs).not_to_be_in_viewport()
    page.mouse.move(200, 300)
    page.mouse.wheel(0, 5_000)
    expect(logs).to_be_in_viewport()


@pytest.mark.parametrize("width", [400, 1600])
def test_it_fits(page: Page, tmp_path: Path, app: RunningApp, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    shown = app.open(page)
    for tab in TABS:
        go_to(shown, tab)
        page.screenshot(path=tmp_path / f"{tab}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert shown.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    page.keyboard.press("Control+k")
    page.screenshot(path=tmp_path / f"palette-{width}.png")
    dialog = shown.get_by_role("dialog", name="Command palette")
    assert dialog.evaluate("element => element.scrollWidth - element.clientWidth") <= 0


def test_a_title_opens_its_lesson_in_the_jupyterlab_that_runs(
    page: Page, app_of_the_stack: RunningApp
) -> None:
    shown = app_of_the_stack.open(page)
    expect(shown.get_by_text("JupyterLab runs")).to_be_visible(timeout=30_000)
    with page.expect_popup() as opened:
        shown.get_by_role("link", name="3. ").click()
    title = opened.value.get_by_role("heading", name="3 · ")
    expect(title).to_be_visible(timeout=60_000)


def test_the_kernel_of_a_page_that_vanished_lets_go_of_the_stack(
    browser: Browser, workshop: Lab, stack: Stack, tmp_path: Path
) -> None:
    """As when a laptop dies, and nobody says goodbye. A page that is open keeps its kernel."""
    before = {os.getpid(), *stack.status().held_by}
    held = lambda: len(set(stack.status().held_by) - before)  # noqa: E731
    with running_app(tmp_path, workshop.folder, "--name", STACK, "--forget-after=10") as own:
        stays, vanishes = browser.new_context(), browser.new_context()
        for context in (stays, vanishes):
            own.open(context.new_page())
        assert held() == 2
        vanishes.set_offline(True)
        vanishes.close()
        eventually_sync(lambda: held() == 1, within=60, every=0.5)
        expect(stays.pages[0].get_by_text("exercises passed")).to_be_visible()
        stays.close()
        eventually_sync(lambda: held() == 0, within=60, every=0.5)


def test_ctrl_c_ends_the_page_and_its_stack(page: Page, tmp_path: Path) -> None:
    with running_app(tmp_path / "own") as own:
        own.open(page)
        assert "held by" in own.stacks()
        page.goto("about:blank")  # a page that goes says goodbye
        eventually_sync(lambda: "kept a while by the lab" in own.stacks(), within=30, every=0.5)
        own.open(page)
        assert own.interrupt() == 0
        eventually_sync(lambda: own.stacks() == "no stack runs", within=30, every=0.5)
    log = (tmp_path / "own" / "app.log").read_text()
    assert "Traceback" not in log
