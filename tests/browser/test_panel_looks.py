"""Every panel but the chat: in both themes, narrow and wide, before a kernel that says what the test says."""

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.panel_page import PanelPage, show_panel
from tests.browser.test_chat_page import faults

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
NOW = time.time()


def row(name: str, health: str = "healthy", **more: Any) -> dict[str, Any]:
    numbers = {
        "requests": 12.5,
        "errors": 0.2,
        "p50": 0.004,
        "p95": 0.02,
        "p99": 0.9,
        "tokens": 181,
        "failed": 0,
    }
    facts = {"reason": "", "restarts": 1, "uptime": 90.0, "figures": numbers, "in_flight": 2, "running": 3}
    facts["lag"] = 0.31
    return {"name": name, "service": name.split("-")[0], "health": health, **facts, **more}


def point(place: int) -> dict[str, Any]:
    rows = [row("gateway"), row("model"), row("worker", "silent", reason="no answer in 3 s", held_back=True)]
    queue = {"ready": 10 + place, "delayed": 2, "running": 3, "oldest": 8.5}
    return {"at": NOW + 2 * place, "rows": [*rows, row("postgres", figures=None)], "queue": queue}


LOG = {"time": "2026-01-01T00:00:00.123Z", "level": "warning", "process": "worker-2", "event": "lease lost"}
LOG |= {"more": f"prompt={'x' * 90}", "exception": "", "request_id": "0123456789abcdef"}
FAULTS = {
    "possible": True,
    "why": "",
    "choices": ["slow", "refused"],
    "model": {"profile": "instant", "harm": {"slow": 0, "fail": 50, "limit": 0, "cut": 0}},
    "processes": [
        {"name": "gateway", "runs": True, "paused": False},
        {"name": "model", "runs": False, "paused": False},
    ],
    "edges": [{"name": "gateway→model", "fault": "slow"}, {"name": "worker→postgres", "fault": ""}],
}
JOB = {
    "id": "j1",
    "status": "running",
    "created": "2026-01-01T00:00:00Z",
    "completed": None,
    "total": 3,
    "done": 1,
}
JOB |= {"failed": 1, "error": "1 of 3 prompts failed"}
ROWS = [
    {"number": 1, "prompt": "What is a queue?", "result": "A line of work.\n\nIn order.", "error": None},
    {"number": 2, "prompt": "x" * 120, "result": None, "error": "UPSTREAM_ERROR: the model failed"},
    {"number": 3, "prompt": None, "result": None, "error": None},
]
REQUESTS = [
    {"request_id": f"r{n}", "time": LOG["time"], "what": "POST /api/v1/generate", "status": 200, "ms": 80.5}
    for n in (1, 2, 3)
]
LINE = {"at": 12.0, "level": "info", "event": "request", "more": f"path={'x' * 90}"}
SPANS = [
    {"id": service, "depth": depth, "service": service, "name": f"POST /{'x' * 60}", "start": 10.0 * depth}
    | {"ms": 80.0 / (depth + 1), "self": 5.0, "failed": depth == 2, "attributes": {"http.route": "x" * 80}}
    | {"logs": [LINE]}
    for depth, service in enumerate(["gateway", "model", "worker"])
]
ANSWERS: dict[str, dict[str, Any]] = {
    "dashboard": {
        "figures": {"stream": [{"history": [point(n) for n in range(40)], "every": 2}, {"point": point(40)}]},
        "logs": {"stream": [{"records": [LOG, {**LOG, "level": "info"}], "first": True}]},
        "faults": FAULTS,
    },
    "jobs": {
        "jobs": {"items": [JOB, {**JOB, "id": "j2", "status": "failed"}], "next": "more"},
        "job": {"job": JOB, "rows": ROWS},
        "follow": {"stream": [JOB]},
    },
    "trace": {"recent": {"stream": [REQUESTS]}, "trace": {"request_id": "r1", "total": 80.0, "rows": SPANS}},
}


def show(page: Page, kind: str, theme: str = "light", width: int = 1300) -> PanelPage:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    shown = show_panel(page, kind, ANSWERS[kind])
    OPENS[kind](shown)
    return shown


def open_dashboard(shown: PanelPage) -> None:
    expect(shown.panel.get_by_role("region", name="worker")).to_be_visible()
    expect(shown.panel.get_by_text("lease lost").first).to_be_visible()


def open_jobs(shown: PanelPage) -> None:
    shown.panel.get_by_role("list", name="Jobs").get_by_role("button").first.click()
    expect(shown.panel.get_by_text("UPSTREAM_ERROR")).to_be_visible()


def open_trace(shown: PanelPage) -> None:
    shown.panel.get_by_role("list", name="Spans").get_by_role("button").first.click()
    expect(shown.panel.get_by_text("http.route").first).to_be_visible()


OPENS = {"dashboard": open_dashboard, "jobs": open_jobs, "trace": open_trace}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_axe_finds_nothing_serious(page: Page, tmp_path: Path, kind: str, theme: str) -> None:
    shown = show(page, kind, theme)
    assert shown.panel.get_attribute("data-theme") == theme
    shown.event("services", {"away": {"model": "refused"}})
    expect(shown.panel.locator(".banner")).to_be_visible()
    assert faults(page) == []
    page.screenshot(path=tmp_path / f"{kind}-{theme}.png", full_page=True)
    if kind == "dashboard":
        shown.panel.get_by_role("tab", name="Faults").click()
        expect(shown.panel.get_by_role("button", name="Start model")).to_be_visible()
        assert faults(page) == []
        page.screenshot(path=tmp_path / f"faults-{theme}.png", full_page=True)


@pytest.mark.parametrize("width", [400, 760, 1600])
@pytest.mark.parametrize("kind", ANSWERS)
def test_it_fits(page: Page, tmp_path: Path, kind: str, width: int) -> None:
    shown = show(page, kind, width=width)
    page.screenshot(path=tmp_path / f"{kind}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert shown.panel.evaluate("element => element.scrollWidth - element.clientWidth") <= 0


def test_a_dashboard_that_nobody_sees_asks_for_nothing(page: Page) -> None:
    shown = show(page, "dashboard")
    asked = len(shown.asks("figures"))
    assert asked == 1
    page.evaluate("document.querySelector('main').style.display = 'none'")
    page.wait_for_function("window.kernel.cancelled.length === 2")
    page.evaluate("document.querySelector('main').style.display = ''")
    page.wait_for_function("window.kernel.asks.filter((ask) => ask.method === 'figures').length === 2")
