"""A real Chromium. A laptop without one skips these tests with the reason; CI has one, or fails."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from prodigon_lib import Stack
from tests.browser.app_page import FORGETS, RunningApp, running_app
from tests.browser.hosts import STACK, Host, InApp, InLab, held_stack
from tests.browser.lab import Lab, lab

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        reason = "no Chromium on PATH: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page of its own; a picture of its last state stays in the test's folder."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    opened = context.new_page()
    yield opened
    opened.screenshot(path=tmp_path / "last.png")
    context.close()


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab for a module's tests."""
    with lab(tmp_path_factory.mktemp("lab") / "workshop") as running:
        yield running


@pytest.fixture(scope="module")
def stack(workshop: Lab) -> Iterator[Stack]:
    """The stack that both hosts show."""
    with held_stack(workshop.folder / ".prodigon") as started:
        yield started


@pytest.fixture(scope="module")
def app_of_the_stack(
    tmp_path_factory: pytest.TempPathFactory, workshop: Lab, stack: Stack
) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("app"), workshop.folder, "--name", STACK, FORGETS) as running:
        yield running


@pytest.fixture(params=["lab", "app"])
def host(request: pytest.FixtureRequest, workshop: Lab, stack: Stack) -> Host:
    """JupyterLab, then `prodigon app`."""
    return InLab(workshop) if request.param == "lab" else InApp(request.getfixturevalue("app_of_the_stack"))
