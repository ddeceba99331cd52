"""Workers as processes of their own, to be killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.worker.stores import Store

ROOT = Path(__file__).parents[3]


@dataclass
class WorkerProcess:
    name: str
    url: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, timeout: float = 15.0) -> int:
        return await asyncio.to_thread(self.process.wait, timeout)


@asynccontextmanager
async def worker_process(
    name: str,
    store: Store,
    model_url: str,
    *,
    app: str = "services.worker.main:app",
    log: Path | None = None,
    **settings: object,
) -> AsyncIterator[WorkerProcess]:
    """`uvicorn services.worker.main:app`; killed at the end of the block. `log` gets what it prints."""
    port = free_port()
    environment = {
        **{key: value for key, value in os.environ.items() if key in ("PATH", "PRODIGON_HOME")},
        **store.settings,
        "MODEL_SERVICE_URL": model_url,
        "WORKER_NAME": name,
        **{key.upper(): str(value) for key, value in settings.items()},
    }
    with (log or Path(os.devnull)).open("ab") as output:
        process = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-m", "uvicorn", app, "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
        )
    worker = WorkerProcess(name, f"http://127.0.0.1:{port}", process)
    try:
        yield worker
    finally:
        worker.kill()
        await worker.ended()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
