"""`prodigon app` as a learner starts it, with a stack and a home of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import TOKEN
from tests.polling import eventually_sync

FORGETS = "--forget-after=30"
"""For tests that open many pages: Playwright ends a page without the goodbye by which its kernel ends."""


@dataclass
class RunningApp:
    """`process` is the command; its state and its stack are under `home`."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]

    def open(self, page: Page, tab: str = "start") -> Locator:
        """The page with the token, at one of its tabs; returns when it is there."""
        page.goto("about:blank")  # an address that differs only after its # loads nothing
        page.goto(f"{self.url}?token={TOKEN}#{tab}")
        expect(page.get_by_role("tab", name="Chat")).to_be_visible(timeout=60_000)
        return page.locator(".panel.app")

    def interrupt(self) -> int:
        """Ctrl+C; gives the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def stacks(self) -> str:
        """What `prodigon status` says."""
        command = [sys.executable, "-m", "prodigon_lib.cli", "status"]
        done = subprocess.run(command, env=environment(self.home), capture_output=True, text=True, timeout=60)
        return done.stdout.strip()


def environment(home: Path) -> dict[str, str]:
    settings = {"PRODIGON_HOME": str(home), "JUPYTER_TOKEN": TOKEN, "SIMULATED_PROFILE": "instant"}
    return {**os.environ, **settings}


@contextmanager
def running_app(folder: Path, workshop: Path | None = None, *options: str) -> Iterator[RunningApp]:
    """Ended with the test that has it; in a copied workshop, or with a home of its own and the checkout's."""
    home = workshop / ".prodigon" if workshop else folder / "home"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    background = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]  # Ctrl+C ignored, as a script's `&` leaves it
    app = [sys.executable, "-m", "prodigon_lib.cli", "app", "--no-browser", f"--port={port}"]
    with (folder / "app.log").open("wb") as log:
        process = subprocess.Popen(
            [*background, *app, *options], cwd=workshop or folder, env=environment(home),
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        running = RunningApp(f"http://127.0.0.1:{port}/", home, process)
        try:
            eventually_sync(lambda: b"token=" in (folder / "app.log").read_bytes(), within=60, every=0.1)
            yield running
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
