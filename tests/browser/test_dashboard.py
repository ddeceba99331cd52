"""The dashboard as a learner uses it, in JupyterLab and `prodigon app`: figures, logs, harm that shows."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Locator, Page, expect

from prodigon_lib import Stack
from prodigon_lib.core.errors import ProdigonError
from tests.browser.hosts import Host, Shown
from tests.browser.lab import Lab
from tests.browser.panels import STARTS, Notebook, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
SHOWS = "from prodigon_lib.widgets import Dashboard\npanel = Dashboard(stack)\npanel"


@contextmanager
def at_work(stack: Stack) -> Iterator[None]:
    """Ten requests a second or less, whatever comes of them."""
    ended = threading.Event()

    def work() -> None:
        with stack.client() as client:
            while not ended.wait(0.1):
                with suppress(ProdigonError):
                    client.generate("What is a queue?", max_tokens=20)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def show_dashboard(host: Host, page: Page, title: str) -> Shown:
    shown = host.show(page, "Dashboard", title)
    expect(shown.panel.get_by_role("region", name="gateway")).to_be_visible(timeout=30_000)
    return shown


def open_dashboard(page: Page, lab: Lab, name: str, *cells: str) -> Notebook:
    opened = open_notebook(page, lab, name, [STARTS.format(name=name), *cells, SHOWS])
    expect(opened.panel.get_by_role("region", name="gateway")).to_be_visible(timeout=30_000)
    return opened


def test_figures_come_a_fault_shows_and_is_undone(page: Page, host: Host, stack: Stack) -> None:
    panel = show_dashboard(host, page, "harm").panel
    with at_work(stack):
        see_figures_and_harm(panel)


def see_figures_and_harm(panel: Locator) -> None:
    gateway = panel.get_by_role("region", name="gateway")
    busy = gateway.get_by_role("img", name="Requests a second: ").first
    expect(busy).not_to_have_attribute("aria-label", "Requests a second: 0", timeout=20_000)
    expect(gateway.get_by_role("img", name="Errors: 0 %")).to_be_visible(timeout=20_000)
    expect(gateway.get_by_role("img", name=re.compile(r"Loop lag: [\d.]+ m?s"))).to_be_visible()
    panel.get_by_role("tab", name="Faults").click()
    panel.get_by_role("spinbutton", name="Fail: ").fill("100")
    panel.get_by_role("checkbox", name="Fail").check()
    expect(gateway.get_by_role("img", name=re.compile("Errors: [1-9]"))).to_be_visible(timeout=40_000)
    panel.get_by_role("button", name="Undo everything").click()
    expect(panel.get_by_role("checkbox", name="Fail")).not_to_be_checked(timeout=10_000)
    expect(gateway.get_by_role("img", name="Errors: 0 %")).to_be_visible(timeout=40_000)


def test_a_killed_process_shows_and_starts_again_by_keys_alone(page: Page, host: Host) -> None:
    panel = show_dashboard(host, page, "killed").panel
    model = panel.get_by_role("region", name="model")
    expect(model.locator(".health")).to_have_text("healthy", timeout=20_000)
    panel.get_by_role("tab", name="Logs").focus()
    page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("tab", name="Faults")).to_be_focused()
    kill = panel.get_by_role("button", name="Kill model")
    expect(kill).to_be_visible(timeout=10_000)
    kill.focus()
    page.keyboard.press("Enter")
    expect(model.locator(".health")).to_have_text("stopped", timeout=20_000)
    expect(panel.locator(".banner")).to_contain_text("model", timeout=20_000)
    panel.get_by_role("button", name="Undo everything").press("Enter")
    expect(model.locator(".health")).to_have_text("healthy", timeout=60_000)
    expect(panel.locator(".banner")).to_be_hidden(timeout=20_000)


def test_logs_are_filtered_by_service_and_by_request(page: Page, workshop: Lab) -> None:
    asks = "asked = stack.client().generate('What is a queue?')"
    opened = open_dashboard(page, workshop, "filtered", asks)
    lines = opened.panel.get_by_role("log", name="Log lines")
    expect(lines).to_contain_text("/api/v1/generate", timeout=20_000)
    opened.panel.get_by_label("Service", exact=True).select_option("model")
    expect(lines).not_to_contain_text("gateway", timeout=20_000)
    expect(lines).to_contain_text("/inference")
    opened.panel.get_by_label("Service", exact=True).select_option("")
    expect(lines).to_contain_text("/api/v1/generate", timeout=20_000)
    lines.locator(".line", has_text="/api/v1/generate").get_by_role("button").first.click()
    expect(lines).not_to_contain_text("supervisor", timeout=20_000)
    expect(lines).to_contain_text("/inference")


def test_a_bare_address_has_the_gateways_figures_and_says_what_it_lacks(page: Page, workshop: Lab) -> None:
    shows = "from prodigon_lib.widgets import Dashboard\npanel = Dashboard(stack.url)\npanel"
    opened = open_notebook(page, workshop, "bare", [STARTS.format(name="bare"), shows])
    gateway = opened.panel.get_by_role("region", name="gateway")
    expect(gateway.locator(".health")).to_have_text("healthy", timeout=30_000)
    expect(opened.panel.locator(".logs")).to_contain_text("through a stack: Dashboard(stack)", timeout=20_000)
    opened.panel.get_by_role("tab", name="Faults").click()
    expect(opened.panel.locator(".faults")).to_contain_text(
        "through a stack: Dashboard(stack)", timeout=20_000
    )
