"""JupyterLab as a learner starts it, on a copy of the workshop."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.polling import eventually_sync

TOKEN = "a-token-for-this-test"


@dataclass
class Lab:
    """A running JupyterLab on the workshop in `folder`."""

    url: str
    folder: Path

    def page(self, notebook: str) -> str:
        return f"{self.url}/lab/tree/notebooks/{notebook}?token={TOKEN}"

    def api(self, path: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/{path}", headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            return bool(self.api("status"))
        except (urllib.error.URLError, ConnectionError):
            return False

    def kernels_idle(self) -> bool:
        states = [kernel["execution_state"] for kernel in self.api("kernels")]
        return bool(states) and set(states) == {"idle"}


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """`prodigon lab FOLDER --no-browser`, ended as Ctrl+C does."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "PRODIGON_HOME"}
    for kind in ("SETTINGS", "WORKSPACES"):  # a theme or an open tab of another run is none of this one's
        environment[f"JUPYTERLAB_{kind}_DIR"] = str(folder.parent / kind.lower())
    command = [sys.executable, "-m", "prodigon_lib.cli", "lab", str(folder), "--no-browser", f"--port={port}"]
    with (folder.parent / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--IdentityProvider.token={TOKEN}"],
            cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        running = Lab(f"http://127.0.0.1:{port}", folder)
        try:
            eventually_sync(running.answers, within=60, every=0.2)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
