"""The kernel's half of the dashboard."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import Stack
from prodigon_lib.widgets.bridge import Bridge, Handler
from prodigon_lib.widgets.dashboard.faults import EDGE_FAULTS, FaultBench, in_thread
from prodigon_lib.widgets.dashboard.harm import Harm
from prodigon_lib.widgets.dashboard.log_stream import follow_logs
from prodigon_lib.widgets.dashboard.observer import Observer
from prodigon_lib.widgets.dashboard.sampling import Sampling
from prodigon_lib.widgets.desk import Desk
from prodigon_lib.widgets.target import Target


class DashboardDesk(Desk):
    """Looks, reads logs and does harm only while a page asks for it."""

    def __init__(self, target: Target, bridge: Bridge) -> None:
        super().__init__(target, bridge)
        self._observer = Observer(target)
        self._sampling = Sampling(self._observer)
        self._bench = None if target.stack is None else FaultBench(target.stack)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "figures": self._sampling.follow,
            "logs": self.logs,
            "faults": self.faults,
            "harm_model": self.harm_model,
            "use_profile": self.use_profile,
            "act": self.act,
            "harm_edge": self.harm_edge,
            "undo": self.undo,
        }

    def logs(self, **filters: str | None) -> AsyncIterator[dict[str, Any]]:
        return follow_logs(self._stack("logs are"), **filters)

    async def faults(self) -> dict[str, Any]:
        """What is wrong on purpose; nothing where there is no harm to be done, and why."""
        if self._bench is None:
            return {"possible": False, "why": why_not("faults are set")}
        if (await self.client.health()).environment == "production":
            return {"possible": False, "why": "Faults are for development; this stack is in production."}
        return {"possible": True, "choices": list(EDGE_FAULTS), **await in_thread(self._bench.look)}

    async def harm_model(self, harm: Harm) -> None:
        await self._do(self._the_bench().harm_model, harm)

    async def use_profile(self, profile: str | None) -> None:
        await self._do(self._the_bench().use_profile, profile)

    async def act(self, process: str, deed: str) -> None:
        await self._do(self._the_bench().act, process, deed)

    async def harm_edge(self, edge: str, fault: str) -> None:
        await self._do(self._the_bench().harm_edge, edge, fault)

    async def undo(self) -> list[str]:
        """All harm; gives what stays."""
        left: list[str] = await self._do(self._the_bench().undo)
        return left

    async def close(self) -> None:
        self._sampling.close()
        await self._observer.close()
        await super().close()

    async def _do(self, work: Any, *arguments: Any) -> Any:
        try:
            return await in_thread(work, *arguments)
        finally:
            self.publish("faults", {}, latest=True)
            self.watch.hurry()

    def _the_bench(self) -> FaultBench:
        if self._bench is None:
            raise StackError(why_not("faults are set"))
        return self._bench

    def _stack(self, what: str) -> Stack:
        if self.target.stack is None:
            raise StackError(why_not(what))
        return self.target.stack


def why_not(what: str) -> str:
    return f"This is a gateway's address; {what} through a stack: Dashboard(stack)."
