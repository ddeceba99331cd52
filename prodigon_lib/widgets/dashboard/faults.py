"""Harm done on purpose to a development stack, and its undoing."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from prodigon_lib.core.errors import BadRequest, StackError
from prodigon_lib.stack import Stack
from prodigon_lib.stack.probe import Health
from prodigon_lib.stack.status import ServiceStatus
from prodigon_lib.widgets.dashboard.harm import Harm, controls_of, harm_of

EDGE_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "slow": {"latency": 0.5},
    "lossy": {"drop": 0.3},
    "narrow": {"bandwidth": 2000},
    "silent": {"black_hole": True},
    "refused": {"refuse": True},
}
"""What can be chosen for an edge, by the word that the panel shows."""


class FaultBench:
    """Every method blocks: use it in a thread. Each raises StackError where the stack refuses."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._profile: str | None = None
        self._profile_changed = False

    def look(self) -> dict[str, Any]:
        """What is wrong now. `model` is `None`, with `why`, where no simulated model answers."""
        try:
            controls = self._stack.simulated.get()
            model: dict[str, Any] | None = {"profile": controls["profile"], "harm": harm_of(controls)}
            why = ""
        except StackError as error:
            model, why = None, error.message
        return {"model": model, "why": why, "processes": self._processes(), "edges": self._edges()}

    def harm_model(self, harm: Harm) -> None:
        self._stack.simulated.set(**controls_of(harm))

    def use_profile(self, profile: str | None) -> None:
        if not self._profile_changed:
            self._profile = self._stack.simulated.get()["profile"]
            self._profile_changed = True
        self._stack.simulated.set(profile=profile)

    def act(self, process: str, deed: str) -> None:
        """Args: deed: `kill`, `pause`, `resume`, or `start` for one that is not revived."""
        deeds: dict[str, Callable[[str], object]] = {
            "kill": self._stack.kill,
            "pause": self._stack.pause,
            "resume": self._stack.resume,
            "start": self._stack.restart_service,
        }
        if deed not in deeds:
            raise BadRequest(f"there is no such deed as {deed!r}")
        deeds[deed](process)

    def harm_edge(self, edge: str, fault: str) -> None:
        """Args: fault: one of `EDGE_FAULTS`, or nothing for none."""
        control = self._stack.faults[edge]
        control.clear()
        if fault:
            control.set(**EDGE_FAULTS[fault])

    def undo(self) -> list[str]:
        """All of it, whoever did it; gives what could not be undone, and why."""
        deeds: list[Callable[[], object]] = []
        for part in reversed(self._stack.status()):  # Postgres is last, and the others need it first
            if is_paused(part):
                deeds.append(lambda name=part.name: self._stack.resume(name))  # type: ignore[misc]
            elif part.health is Health.STOPPED:
                deeds.append(lambda name=part.name: self._stack.restart_service(name))  # type: ignore[misc]
        if self._edges() is not None:
            deeds.append(self._stack.faults.clear)
        deeds.append(self._calm_model)
        return [problem for deed in deeds if (problem := attempt(deed))]

    def _calm_model(self) -> None:
        profile = {"profile": self._profile} if self._profile_changed else {}
        self._stack.simulated.set(**controls_of({}), **profile)
        self._profile_changed = False

    def _processes(self) -> list[dict[str, Any]]:
        return [
            {"name": part.name, "runs": part.pid is not None, "paused": is_paused(part)}
            for part in self._stack.status()
            if part.service != "proxy"
        ]

    def _edges(self) -> list[dict[str, Any]] | None:
        """`None` where the stack was started without `faults=True`."""
        try:
            edges = self._stack.faults
        except StackError:
            return None
        return [{"name": edge.name, "fault": named(edge.get())} for edge in edges]


def named(faults: Mapping[str, Any]) -> str:
    """The panel's word for what is set on an edge; the settings themselves where it has none."""
    if not faults:
        return ""
    found = next((word for word, fault in EDGE_FAULTS.items() if dict(fault) == dict(faults)), None)
    return found or ", ".join(f"{name}={value}" for name, value in faults.items())


def is_paused(part: ServiceStatus) -> bool:
    try:
        return part.pid is not None and psutil.Process(part.pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def attempt(deed: Callable[[], object]) -> str | None:
    try:
        deed()
    except StackError as error:
        return error.message
    return None


async def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """The stack's own calls block; the panels' loop does not."""
    return await asyncio.to_thread(work, *arguments)
