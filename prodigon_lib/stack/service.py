"""A service of the stack as its supervisor sees it."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.redaction import redact
from prodigon_lib.stack.environment import MONOLITH, SERVICES
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.part import Part
from prodigon_lib.stack.probe import Health, health
from prodigon_lib.stack.serve import REFUSAL

READY_SECONDS = 30.0
POLL = 0.03
LAST_WORDS = 16 * 1024


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """How to start one service. Its first socket listens already, so that nobody else takes the port; the
    one of gRPC is held until the service begins, which listens there by itself."""

    name: str
    port: int
    environment: Mapping[str, str]
    log: Path
    folder: Path
    grpc_port: int | None = None

    @property
    def service(self) -> str:
        return self.name.split("-")[0]


class ServicePart(Part):
    """A service: `spawn` has it load its code, `settle` lets it serve and waits until it is ready."""

    def __init__(
        self,
        spec: ServiceSpec,
        listener: socket.socket,
        guardian: Guardian,
        restart: Restart,
        held: socket.socket | None = None,
    ) -> None:
        super().__init__(spec.name, guardian, restart)
        self.spec, self.port, self.grpc_port = spec, spec.port, spec.grpc_port
        self._listener: socket.socket | None = listener
        self._held = held
        self._log_began = 0

    @property
    def services(self) -> tuple[str, ...]:
        return SERVICES if self.service == MONOLITH else (self.service,)

    async def spawn(self) -> None:
        self.adopt(self._run())
        self.close_listener()

    async def settle(self) -> None:
        self._let_go()
        end = asyncio.get_running_loop().time() + READY_SECONDS
        state, why = Health.STARTING, ""
        while asyncio.get_running_loop().time() < end:
            probe = asyncio.create_task(self.health())
            waited: set[asyncio.Future[Any]] = {probe, self.exited()}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self.pid is None:
                probe.cancel()
                raise StackError(f"the {self.name} did not start: {self.last_words()}")
            state, why = await probe
            if state is Health.HEALTHY:
                return
            await asyncio.sleep(POLL)
        raise StackError(f"the {self.name} was not ready in {READY_SECONDS:g} s ({why}); see {self.spec.log}")

    async def health(self) -> tuple[Health, str]:
        return await health(self.spec.port)

    def close_ports(self) -> None:
        """Give up all that we hold for it."""
        self.close_listener()
        self._let_port_go()

    def close_listener(self) -> None:
        """Give up our copy of the socket: the port is refused, and free, as soon as the service has ended."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _let_port_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def last_words(self) -> str:
        """Why it ended, from what it has logged since its start, without secrets: not all of it is ours."""
        with self.spec.log.open("rb") as log:
            log.seek(max(self._log_began, log.seek(0, 2) - LAST_WORDS))
            lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        last = lines[-1].strip() if lines else "it said nothing"
        return redact(told(lines) or f"{last} (see {self.spec.log})")

    def _run(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "prodigon_lib.stack.serve", self.service, "--wait"]
        command += ["--port", str(self.spec.port)]
        passed = [self._listener.fileno()] if self._listener is not None else []
        for descriptor in passed:
            command += ["--socket", str(descriptor)]
        with self.spec.log.open("ab") as log:
            self._log_began = log.tell()
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(self.spec.environment),
                cwd=self.spec.folder,
                pass_fds=passed,
                start_new_session=True,
            )

    def _let_go(self) -> None:
        """Let the service begin; it has waited for this line with everything loaded."""
        self._let_port_go()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"go\n")
            self._process.stdin.close()
        except OSError:
            pass  # it has ended already, and says why in its log


def told(lines: Sequence[str]) -> str | None:
    """What a service said of its own end: why it refused to start, else the first error in what it logged."""
    records = [found for line in lines if (found := record_in(line))]
    for found in records:
        if found.get("event") == REFUSAL:
            return str(found["message"])
    errors = [found for found in records if found.get("level") in ("error", "critical")]
    for found in errors:
        text = str(found.get("exception") or found.get("event"))
        return text.strip().splitlines()[-1]
    return None


def record_in(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
