"""A lesson's application in a process of its own: what it does to its loop does nothing to the kernel's.

with service_process("package.module:create_app") as service:
    ... service.url ...
    service.lines()
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.serving import listen

START_SECONDS = 20.0
STOP_SECONDS = 8.0
LOOK_EVERY = 0.02
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class ServiceProcess:
    """Where it answers, and where what it says is kept."""

    url: str
    pid: int
    said: Path

    def lines(self) -> list[dict[str, Any]]:
        """Its log so far; what is no JSON is left out."""
        found = []
        for line in self.said.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [each for each in found if isinstance(each, dict)]


@contextmanager
def service_process(factory: str) -> Iterator[ServiceProcess]:
    """Serve what `module:function` makes while the block runs; the process ends with this one, too.

    Raises:
        WorkshopError: it did not start; with its last words.
    """
    with tempfile.TemporaryDirectory(prefix="prodigon-service-") as folder, listen() as listener:
        said = Path(folder) / "said.txt"
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with said.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, factory, str(listener.fileno())],
                stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, pass_fds=(listener.fileno(),),
            )  # fmt: skip
        try:
            wait_until_alive(url, process, said)
            yield ServiceProcess(url, process.pid, said)
        finally:
            end(process)


def wait_until_alive(url: str, process: "subprocess.Popen[bytes]", said: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with suppress(OSError, urllib.error.URLError), DIRECT.open(f"{url}/health/live", timeout=2):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise WorkshopError(f"the application did not start: {said.read_text(errors='replace')[-600:]}")
        time.sleep(LOOK_EVERY)


def end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def end_with_parent() -> None:
    """The pipe from the parent ends when the parent does, however it does."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main(factory: str, fd: str) -> None:
    import uvicorn

    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    module, _, function = factory.partition(":")
    app = getattr(importlib.import_module(module), function)()
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[socket(fileno=int(fd))])


if __name__ == "__main__":
    main(*sys.argv[1:])
