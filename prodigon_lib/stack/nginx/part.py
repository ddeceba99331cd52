"""nginx as its supervisor sees it."""

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.redaction import redact
from prodigon_lib.stack.environment import base_environment
from prodigon_lib.stack.folder import StackFolder, write_whole
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.nginx.balance import Balance
from prodigon_lib.stack.nginx.binary import version
from prodigon_lib.stack.nginx.config import Upstream, of_a_stack, render
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.part import Part
from prodigon_lib.stack.ports import HOST
from prodigon_lib.stack.probe import PROBE_SECONDS, Health, get
from prodigon_lib.stack.process import send_to_group

READY_SECONDS = 10.0
POLL = 0.03
LAST_WORDS = 4096
NAME = "nginx"
LIVE = "/nginx/live"
OF_ALL = (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT)
"""Signals for nginx's workers too: they would work on without their master."""


@dataclass(frozen=True, slots=True)
class NginxPlan:
    """What nginx is started with.

    Args:
        upstreams: by service; the first one's port is nginx's own in the status.
        held: the ports, kept from others until nginx listens there by itself.
        body: bytes that a request may have at most.
        version: of the program.
    """

    program: Path
    upstreams: Mapping[str, Upstream]
    ports: Mapping[str, int]
    held: list[socket.socket]
    body: str
    version: tuple[int, ...]


class NginxPart(Part):
    """nginx and its worker process. `change` has it begin anew, and what is in flight ends as it began."""

    gentle = signal.SIGQUIT  # it ends what is in flight first

    def __init__(self, plan: NginxPlan, folder: StackFolder, guardian: Guardian, restart: Restart) -> None:
        super().__init__(NAME, guardian, restart)
        self.plan, self.upstreams = plan, dict(plan.upstreams)
        self.folder, self.log = folder.root / NAME, folder.log(NAME)
        self.port = next(iter(plan.ports.values()))
        self._generation = 0
        self._log_began = 0

    @property
    def config(self) -> Path:
        return self.folder / "nginx.conf"

    async def spawn(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._write()
        self.close_ports()
        self.adopt(self._run())

    async def settle(self) -> None:
        await self._wait_for_this_generation()

    async def health(self) -> tuple[Health, str]:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._generation_seen()
        except TimeoutError:
            return Health.SILENT, f"no answer in {PROBE_SECONDS:g} s"
        except (OSError, ValueError) as error:
            return Health.SILENT, getattr(error, "strerror", None) or "no answer"
        return Health.HEALTHY, ""

    def signal(self, wanted: signal.Signals) -> int:
        pid = super().signal(wanted)
        if wanted in OF_ALL:
            send_to_group(pid, wanted)
        return pid

    def look_at_balance(self) -> dict[str, Any]:
        """How the model's replicas are balanced now. Raises StackError when nginx does not stand there."""
        if (model := self.upstreams.get("model")) is None:
            raise StackError("there is one model service, and so nothing to balance")
        return model.balance.wire()

    async def change(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Balance the model's replicas otherwise from now on. Raises StackError, and then nothing changed."""
        self.look_at_balance()
        before = dict(self.upstreams)
        model = before["model"]
        self.upstreams["model"] = replace(model, balance=model.balance.changed(wish, model.servers))
        self._generation += 1
        try:
            self._write()
            await self._check()
        except StackError:
            self.upstreams = before
            self._write()
            raise
        workers = self._workers()
        super().signal(signal.SIGHUP)
        await self._wait_for_this_generation()
        await self._wait_for_the_end_of(workers)
        return self.look_at_balance()

    def close_ports(self) -> None:
        while self.plan.held:
            self.plan.held.pop().close()

    def _buried(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            send_to_group(self._process.pid, signal.SIGKILL)  # its workers would keep the ports
        super()._buried()

    def _write(self) -> None:
        around = of_a_stack(self.folder, self.log, self.plan.body, self.plan.version)
        write_whole(self.config, render(around, tuple(self.upstreams.values()), self._generation))

    def _command(self) -> list[str]:
        return [str(self.plan.program), "-p", str(self.folder), "-e", "stderr", "-c", str(self.config)]

    def _run(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self._log_began = log.tell()
            return subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**base_environment(), "TZ": "UTC"},
                cwd=self.folder,
                start_new_session=True,
            )

    async def _check(self) -> None:
        done = await asyncio.to_thread(
            subprocess.run, [*self._command(), "-t", "-q"], capture_output=True, check=False, text=True
        )
        if done.returncode:
            raise StackError(f"nginx refuses the new configuration: {redact(done.stderr.strip())}")

    async def _generation_seen(self) -> int:
        status, body = await get(self.port or 0, LIVE)
        if status != 200:
            raise ConnectionError(f"answered {status}")
        return int(json.loads(body)["generation"])

    async def _wait_for_this_generation(self) -> None:
        """Returns when somebody answers by it."""
        end = asyncio.get_running_loop().time() + READY_SECONDS
        while not await self._answers_anew():
            if self.pid is None:
                raise StackError(f"nginx did not start: {self.last_words()}")
            if asyncio.get_running_loop().time() > end:
                raise StackError(f"nginx did not answer in {READY_SECONDS:g} s; see {self.log}")
            await asyncio.sleep(POLL)

    async def _answers_anew(self) -> bool:
        try:
            async with asyncio.timeout(1):
                return await self._generation_seen() == self._generation
        except (OSError, ValueError):
            return False

    def _workers(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children() if self.pid is not None else []
        return []

    async def _wait_for_the_end_of(self, workers: list[psutil.Process]) -> None:
        """Returns when these take no new request: they have ended, or only end what they had begun. Until
        then one answers as before, on a connection that somebody kept open."""
        end = asyncio.get_running_loop().time() + READY_SECONDS
        while not all(ending(worker) for worker in workers):
            if asyncio.get_running_loop().time() > end:
                raise StackError(f"nginx did not begin anew in {READY_SECONDS:g} s; see {self.log}")
            await asyncio.sleep(POLL)

    def last_words(self) -> str:
        """The last line that it wrote since its start."""
        with self.log.open("rb") as log:
            log.seek(max(self._log_began, log.seek(0, 2) - LAST_WORDS))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return redact(f"{lines[-1] if lines else 'it said nothing'} (see {self.log})")


def ending(worker: psutil.Process) -> bool:
    """Whether it is gone, or says in its title that it goes."""
    try:
        return worker.status() == psutil.STATUS_ZOMBIE or "shutting down" in " ".join(worker.cmdline())
    except psutil.NoSuchProcess:
        return True


def plan_nginx(
    program: Path,
    servers: Mapping[str, Mapping[str, int]],
    held: Mapping[str, socket.socket],
    body: str,
    balance: Balance,
) -> NginxPlan:
    """Args: `servers`: the ports of each service's replicas; `held`: nginx's own; `balance`: of the model."""
    numbers = {service: each.getsockname()[1] for service, each in held.items()}
    upstreams = {
        service: Upstream(
            service,
            f"{HOST}:{numbers[service]}",
            {name: f"{HOST}:{port}" for name, port in replicas.items()},
            balance if service == "model" else Balance(),
        )
        for service, replicas in servers.items()
    }
    return NginxPlan(program, upstreams, numbers, list(held.values()), body, version(program))
