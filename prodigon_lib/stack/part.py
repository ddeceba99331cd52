"""One supervised process of a stack: started, watched, revived, stopped."""

import asyncio
import contextlib
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.probe import Health
from prodigon_lib.stack.process import send, send_to_group
from prodigon_lib.stack.record import record

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 20.0
"""A process that lived as long is taken to be sound: the next pause is the first again."""


class Part(ABC):
    """A process that is started again after it died, unless the stack was started with `restart="never"`."""

    gentle = signal.SIGTERM

    def __init__(self, name: str, guardian: Guardian, restart: Restart) -> None:
        self.name, self.guardian, self.restart = name, guardian, restart
        self.port: int | None = None
        self.grpc_port: int | None = None
        self.restarts = 0
        self.exit_code: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._exited: asyncio.Future[int] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._works = False
        self._started = 0.0
        self._deaths = 0

    @abstractmethod
    async def spawn(self) -> None:
        """Start the process. Raises StackError or OSError."""

    @abstractmethod
    async def settle(self) -> None:
        """Wait until it works. Raises StackError when it does not come to that."""

    @abstractmethod
    async def health(self) -> tuple[Health, str]:
        """How it is while it runs, and why when it is not healthy."""

    @property
    def service(self) -> str:
        return self.name.split("-")[0]

    @property
    def services(self) -> tuple[str, ...]:
        """What it is asked for as, beside its own name."""
        return (self.service,)

    @property
    def pid(self) -> int | None:
        """`None` while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def adopt(self, process: subprocess.Popen[bytes]) -> None:
        """To be called by `spawn` as soon as there is a process; from now on the guard knows it."""
        self.guardian.add(process.pid, self.gentle)
        self._process, self._exited, self._works = process, None, False
        self._started = time.monotonic()

    async def works(self) -> None:
        """Wait until it works, and say so. Raises StackError."""
        await self.settle()
        self._works = True
        record("ready", process=self.name, pid=self.pid, port=self.port, restarts=self.restarts)

    def watch(self) -> None:
        """From now on, start it again when it dies."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self, patience: float) -> None:
        """Ask it to stop; kill it when it has not after `patience` seconds."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
            self._keeper = None
        if (pid := self.pid) is None:
            self._buried()
            return
        send(pid, self.gentle)
        send(pid, signal.SIGCONT)  # one that is paused would not hear it
        await asyncio.wait({self.exited()}, timeout=patience)
        if self.pid is not None:
            record("killed", "warning", process=self.name, pid=pid)
            send_to_group(pid, signal.SIGKILL)
            await asyncio.wait({self.exited()}, timeout=2)
        self._buried()

    async def start_again(self, patience: float) -> None:
        """Stop it in order and start it; also one that died and was not revived. Raises StackError."""
        await self.stop(patience)
        self.restarts += 1
        try:
            await self.spawn()
            await self.works()
        finally:
            self.watch()

    def signal(self, wanted: signal.Signals) -> int:
        """Send it a signal; gives its pid. Raises StackError when it does not run."""
        pid = self.pid
        if pid is None or not send(pid, wanted):
            raise StackError(f"{self.name} does not run; stack.restart_service({self.name!r}) starts it")
        return pid

    async def look(self) -> dict[str, Any]:
        """One row of the status."""
        state, why = await self.health() if self.pid is not None else self._down()
        if state is Health.SILENT and not self._works:
            state, why = Health.STARTING, ""
        return {
            "name": self.name,
            "service": self.service,
            "pid": self.pid,
            "port": self.port,
            "grpc_port": self.grpc_port,
            "health": state.value,
            "reason": why,
            "restarts": self.restarts,
            "uptime": round(time.monotonic() - self._started, 3) if self.pid is not None else 0.0,
        }

    def exited(self) -> asyncio.Future[int]:
        """The exit code of the running process, once it has ended; negative for a signal."""
        if self._exited is None:
            assert self._process is not None
            self._exited = exit_of(self._process)
        return self._exited

    def _down(self) -> tuple[Health, str]:
        revived = self._keeper is not None and not self._keeper.done()
        return (Health.STARTING if revived else Health.STOPPED), f"ended with {self.exit_code}"

    def _buried(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self.exit_code = self._process.returncode
            self.guardian.remove(self._process.pid)
            self._process = self._exited = None

    async def _keep(self) -> None:
        while True:
            if self._process is not None:
                await asyncio.shield(self.exited())
                self._buried()
                record("died", "warning", process=self.name, exit_code=self.exit_code)
            if self.restart is Restart.NEVER:
                return
            await asyncio.sleep(self._pause())
            self.restarts += 1
            with contextlib.suppress(OSError):
                await self._revive()

    async def _revive(self) -> None:
        try:
            await self.spawn()
            await self.works()
        except StackError as error:
            record("not revived", "error", process=self.name, reason=error.message)

    def _pause(self) -> float:
        lived = time.monotonic() - self._started
        self._deaths = 1 if lived > STEADY_SECONDS else self._deaths + 1
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self._deaths - 1))


def exit_of(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """The exit code to come. A thread waits: the one portable way that needs no polling."""
    loop = asyncio.get_running_loop()
    exited: asyncio.Future[int] = loop.create_future()

    def tell(code: int) -> None:
        if not exited.done():
            exited.set_result(code)

    def wait() -> None:
        code = process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(tell, code)

    threading.Thread(target=wait, daemon=True).start()
    return exited
