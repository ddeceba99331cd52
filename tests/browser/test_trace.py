"""The trace view as a learner uses it, in a real JupyterLab."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.panels import STARTS, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
SHOWS = "from prodigon_lib.widgets import TraceView\npanel = TraceView({system})\npanel"
ASKS = "print(stack.client().generate('What is a queue?').request_id)"


def test_the_newest_request_is_followed_and_its_spans_open_by_keys(page: Page, workshop: Lab) -> None:
    cells = [STARTS.format(name="followed"), SHOWS.format(system="stack"), ASKS]
    opened = open_notebook(page, workshop, "followed", cells)
    panel = opened.panel
    request = panel.get_by_role("searchbox", name="Request id")
    printed = page.locator(".jp-OutputArea-output pre").last
    expect(request).to_have_value(printed.inner_text(timeout=30_000).strip(), timeout=30_000)
    spans = panel.get_by_role("list", name="Spans").locator("button.span")
    expect(spans.first).to_contain_text("POST /api/v1/generate", timeout=20_000)
    expect(spans.filter(has_text="model")).not_to_have_count(0)
    spans.first.focus()
    page.keyboard.press("Enter")
    expect(spans.first).to_have_attribute("aria-expanded", "true")
    expect(panel.get_by_text("http.request.method")).to_be_visible()
    expect(panel.locator(".more .line").first).to_contain_text("/api/v1/generate")
    request.fill("no-such-request")
    request.press("Enter")
    expect(panel.get_by_text("there is no trace of the request 'no-such-request'")).to_be_visible(
        timeout=20_000
    )


def test_a_bare_address_has_no_traces_and_says_so(page: Page, workshop: Lab) -> None:
    cells = [STARTS.format(name="untraced"), SHOWS.format(system="stack.url")]
    panel = open_notebook(page, workshop, "untraced", cells).panel
    expect(panel.get_by_text("traces are read through a stack: TraceView(stack).")).to_be_visible(
        timeout=30_000
    )
