# fails: never fails five times in a row
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Send = Callable[[str], Awaitable[str]]
"""Sends a request to one service; raises `OSError` when that breaks."""

CONNECTIONS = 16  # of the process, for all of its services together
PATIENCE = 0.25
FAILURES = 5
REST = 2.0


class Unavailable(Exception):
    """The service was not asked, or gave no answer in time."""


@dataclass
class Guard:
    """What is remembered of one service."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS // 4))
    failures: int = 0
    closed_until: float = 0.0
    probing: bool = False


class Services:
    """Calls services by name; `clock` gives seconds."""

    def __init__(self, sends: Mapping[str, Send], clock: Callable[[], float]) -> None:
        self.sends, self.clock = sends, clock
        self.connections = asyncio.Semaphore(CONNECTIONS)
        self.guards = {name: Guard() for name in sends}

    async def call(self, name: str, request: str) -> str:
        guard = self.guards[name]
        probe = guard.failures >= FAILURES
        if probe and (guard.probing or self.clock() < guard.closed_until):
            raise Unavailable(name)
        guard.probing = probe
        try:
            async with asyncio.timeout(PATIENCE), guard.places, self.connections:
                answer = await self.sends[name](request)
        except (TimeoutError, OSError) as fault:
            guard.failures += 1
            guard.closed_until = self.clock() + REST
            raise Unavailable(name) from fault
        finally:
            if probe:  # also for a caller who left: else nobody would ever try again
                guard.probing = False
        if probe:
            guard.failures = 0
        return answer
