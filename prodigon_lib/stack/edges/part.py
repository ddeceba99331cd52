"""The proxy as its supervisor sees it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.channel import LONGEST_LINE, encode
from prodigon_lib.stack.edges.plan import EdgePlan
from prodigon_lib.stack.environment import base_environment
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.part import Part
from prodigon_lib.stack.probe import Health

READY_SECONDS = 15.0
ANSWER_SECONDS = 5.0
POLL = 0.02

Pair = tuple[str, str]


class ProxyPart(Part):
    """One process for all edges. It comes back with the faults that were set when it died."""

    def __init__(
        self, plan: EdgePlan, control: Path, log: Path, guardian: Guardian, restart: Restart
    ) -> None:
        super().__init__("proxy", guardian, restart)
        self.plan, self.control, self.log = plan, control, log
        self._faults: dict[Pair, dict[str, Any]] = {}

    @property
    def pairs(self) -> list[Pair]:
        return [(edge.source, edge.target) for edge in self.plan.edges]

    async def spawn(self) -> None:
        self.control.unlink(missing_ok=True)
        self.adopt(self._run())
        self.plan.close()

    async def settle(self) -> None:
        end = asyncio.get_running_loop().time() + READY_SECONDS
        while asyncio.get_running_loop().time() < end:
            state, _ = await self.health()
            if state is Health.HEALTHY:
                return
            if self.pid is None:
                break
            await asyncio.sleep(POLL)
        raise StackError(f"the proxy did not start; see {self.log}")

    async def health(self) -> tuple[Health, str]:
        try:
            await self.ask({"do": "look", "edges": []})
        except StackError as error:
            return Health.SILENT, error.message
        return Health.HEALTHY, ""

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What `Proxy.answer` says. Raises StackError."""
        answer = await self._asked(request)
        if "error" in answer:
            raise StackError(answer["error"])
        if request["do"] in ("set", "clear"):
            for pair, seen in zip(request["edges"], answer["edges"], strict=True):
                self._faults[tuple(pair)] = seen["faults"]
        return answer

    async def _asked(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self.control, limit=LONGEST_LINE)
                try:
                    writer.write(encode(dict(request)))
                    line = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            line = b""
        if not line:
            raise StackError("the proxy does not answer")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _run(self) -> subprocess.Popen[bytes]:
        """The first time it takes over the listeners; later it listens anew: callers know the ports."""
        listeners = iter(self.plan.listeners)
        edges = [
            {**edge.wire(), "faults": self._faults.get((edge.source, edge.target), {})}
            for edge in self.plan.edges
        ]
        for edge in edges:
            listener = None if isinstance(edge["listen"], str) else next(listeners, None)
            edge["descriptor"] = None if listener is None else listener.fileno()
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "prodigon_lib.stack.edges.proxy"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=base_environment(),
                cwd="/",
                pass_fds=[listener.fileno() for listener in self.plan.listeners],
                start_new_session=True,
            )
        assert process.stdin is not None
        with process.stdin:
            process.stdin.write(json.dumps({"control": str(self.control), "edges": edges}).encode())
        return process
