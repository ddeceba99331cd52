"""Panels of several users in one notebook, in a real JupyterLab, on a stack with accounts."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from prodigon_lib import Stack
from tests.browser.hosts import held_stack
from tests.browser.lab import Lab
from tests.browser.panels import Notebook, open_notebook
from tests.browser.test_chat import begin, last_answer, new_chat, say
from tests.browser.test_jobs_panel import state, submit
from tests.polling import eventually_sync

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
NAME = "accounts"
BEGINS = f"""from prodigon_lib import Stack
from prodigon_lib.widgets import ChatPanel, JobsPanel
stack = Stack.attach({NAME!r})"""
PATIENCE = 30_000
"""Milliseconds: eight panels begin at once, on machines that do other things too."""
USERS = (", user='ada'", ", user='bob'", ", user='eve'", "")
PANELS = [f"{kind}(stack{user})" for user in USERS for kind in ("ChatPanel", "JobsPanel")]
TOKEN_SECONDS = 10
"""As short as it can be: all panels renew while these tests run."""
NOBODYS = "Accounts are on here, and this panel is nobody's."
NOT_LET_IN = "The gateway does not let eve in"


@dataclass(frozen=True)
class Shared:
    """The notebook, and the stack that its panels show."""

    notebook: Notebook
    stack: Stack

    def panel(self, kind: str, user: str = "") -> Locator:
        """Args: kind: `ChatPanel` or `JobsPanel`."""
        wanted = f"{kind}(stack, user='{user}')" if user else f"{kind}(stack)"
        cell = self.notebook.page.locator(".jp-CodeCell").nth(1 + PANELS.index(wanted))
        return cell.locator(".panel")

    def answers(self, path: str, status: int | None = None) -> int:
        """How often the gateway answered, since it began; with `status`, how often so."""
        records = self.stack.logs("gateway", tail=None)
        found = [record.get("status") for record in records if record.get("path") == path]
        return len(found) if status is None else found.count(status)


@pytest.fixture(scope="module")
def shared(browser: Browser, workshop: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """High enough that all panels are in view: one out of view asks for nothing."""
    folder = tmp_path_factory.mktemp("accounts")
    settings = {"ACCESS_TOKEN_SECONDS": TOKEN_SECONDS}
    context = browser.new_context(viewport={"width": 1300, "height": 6000})
    with held_stack(workshop.folder / ".prodigon", NAME, auth=True, settings=settings) as stack:
        opened = open_notebook(context.new_page(), workshop, NAME, [BEGINS, *PANELS])
        expect(opened.page.locator(".panel")).to_have_count(len(PANELS), timeout=PATIENCE)
        yield Shared(opened, stack)
        opened.page.screenshot(path=folder / "light.png")
        opened.use_dark_theme()
        expect(opened.page.locator(".panel[data-theme=dark]")).to_have_count(len(PANELS), timeout=PATIENCE)
        opened.page.screenshot(path=folder / "dark.png")
    context.close()


def chats(panel: Locator) -> Locator:
    return panel.get_by_role("list", name="Chats").get_by_role("listitem")


def test_two_users_talk_and_neither_sees_the_others_chats_also_after_a_reload(shared: Shared) -> None:
    words = {"ada": "My cat is called Grace", "bob": "My dog is called Alan"}
    for user, said in words.items():
        panel = shared.panel("ChatPanel", user)
        new_chat(panel)
        say(panel, said)
    for again in (False, True):
        if again:
            shared.notebook.save()
            shared.notebook.reload()
        for user, said in words.items():
            panel = shared.panel("ChatPanel", user)
            expect(panel.locator(".question")).to_have_text(said, timeout=PATIENCE)
            expect(chats(panel)).to_have_count(1, timeout=PATIENCE)
            expect(chats(panel)).to_contain_text(said, timeout=PATIENCE)
    bobs = shared.panel("ChatPanel", "bob")
    bobs.get_by_role("searchbox").fill("Grace")
    expect(chats(bobs)).to_have_text("No chat has that.", timeout=PATIENCE)
    bobs.get_by_role("searchbox").fill("")


def test_the_jobs_of_one_user_are_not_listed_for_another(shared: Shared) -> None:
    adas, bobs = shared.panel("JobsPanel", "ada"), shared.panel("JobsPanel", "bob")
    submit(adas, ["What is a lease?", "What is a seam?"])
    expect(state(adas)).to_have_text("completed · 2 of 2", timeout=PATIENCE)
    for status, told in (("completed", "No job is completed."), ("", "No jobs yet.")):  # so it looks again
        bobs.get_by_label("Only jobs that are").select_option(status)
        expect(bobs.get_by_text(told)).to_be_visible(timeout=PATIENCE)
    expect(adas.get_by_role("list", name="Jobs").get_by_role("listitem")).to_have_count(1, timeout=PATIENCE)


def test_a_panel_that_is_nobodys_says_what_is_missing(shared: Shared) -> None:
    for kind, what in (("ChatPanel", "chats"), ("JobsPanel", "jobs")):
        panel = shared.panel(kind)
        expect(panel.locator(".banner")).to_contain_text(NOBODYS, timeout=PATIENCE)
        expect(panel.locator(".banner")).to_contain_text('user="ada"', timeout=PATIENCE)
        expect(panel.get_by_text(f"The {what} can't be shown.")).to_be_visible(timeout=PATIENCE)
        expect(panel.locator(".toast")).to_have_count(0, timeout=PATIENCE)
    chat = shared.panel("ChatPanel")
    begin(chat, "What is a queue?")
    expect(chat.locator(".note.fault")).to_contain_text(NOBODYS, timeout=PATIENCE)


def test_a_panel_outlives_its_access_token(shared: Shared) -> None:
    panel = shared.panel("ChatPanel", "ada")
    password = shared.stack.credential("ada")["password"]
    before = shared.answers("/api/v1/auth/refresh", 200)
    new_chat(panel)
    say(panel, "My name is Ada Lovelace")
    logins = shared.answers("/api/v1/auth/login", 200)
    with httpx.Client(base_url=shared.stack.url, trust_env=False) as http:
        later = http.post("/api/v1/auth/login", json={"name": "ada", "password": password}).json()
        http.headers["Authorization"] = f"Bearer {later['access_token']}"
        eventually_sync(lambda: http.get("/api/v1/auth/me").status_code == 401, within=60, every=0.5)
    say(panel, "What is my name?")
    expect(last_answer(panel)).to_contain_text("Ada Lovelace", timeout=PATIENCE)
    expect(panel.locator(".banner")).to_be_hidden(timeout=PATIENCE)
    assert shared.answers("/api/v1/auth/refresh", 200) > before
    assert shared.answers("/api/v1/auth/login", 200) == logins + 1  # the one of this test


def test_an_account_that_is_disabled_is_told_and_asks_no_more(shared: Shared) -> None:
    chat, jobs = shared.panel("ChatPanel", "eve"), shared.panel("JobsPanel", "eve")
    new_chat(chat)
    say(chat, "My name is Eve")
    disable(shared.stack, "eve")
    expect(jobs.locator(".banner")).to_contain_text(NOT_LET_IN, timeout=PATIENCE)
    begin(chat, "What is my name?")
    expect(chat.locator(".note.fault")).to_contain_text(NOT_LET_IN, timeout=PATIENCE)
    expect(chat.locator(".banner")).to_contain_text(NOT_LET_IN, timeout=PATIENCE)
    expect(chat.locator(".question").first).to_have_text("My name is Eve", timeout=PATIENCE)
    wait_for_looks(shared)
    guesses = shared.answers("/api/v1/auth/login")
    wait_for_looks(shared)
    assert shared.answers("/api/v1/auth/login") == guesses
    expect(shared.panel("ChatPanel", "bob").locator(".banner")).to_be_hidden(timeout=PATIENCE)
    expect(shared.notebook.page.get_by_text("Traceback")).to_have_count(0, timeout=PATIENCE)


def wait_for_looks(shared: Shared) -> None:
    """Until the jobs panels that are let in have looked again, and so would have those that are not."""
    before = shared.answers("/api/v1/jobs", 200)
    eventually_sync(lambda: shared.answers("/api/v1/jobs", 200) >= before + 3, within=30, every=0.5)


def disable(stack: Stack, user: str) -> None:
    """As an operator does."""
    with stack.client(user="operator", role="operator") as operator:
        accounts = operator._http.get("/api/v1/accounts").json()
        found = next(account["id"] for account in accounts if account["name"] == user)
        assert operator._http.patch(f"/api/v1/accounts/{found}", json={"disabled": True}).status_code == 200
