"""A ceiling on the worker's memory: it ends in order there, and its supervisor starts a fresh one.

A leak in a long-lived process is mended by whoever finds it; until then the process is recycled, before the
kernel picks its moment. What it has claimed goes back to the queue: nothing is lost, no result written twice.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.limits import limit_growth
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.memory import resident_bytes

logger = get_logger("worker", service="worker")

MEGABYTE = 1_000_000
EVERY_SECONDS = 0.1
HARD = 2
"""One prompt may want gigabytes between two looks: growth is bounded at so many times the room there was."""


def end_in_order() -> None:
    """What a supervisor would do: claiming stops, what runs may end, the rest is given back."""
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(slots=True)
class Ceiling:
    """Looks at what the process holds, and calls `end` once when that is `limit` bytes or more."""

    limit: int
    resident: Callable[[], int] = resident_bytes
    end: Callable[[], None] = end_in_order
    limit_growth: Callable[[int], int | None] = limit_growth

    @classmethod
    def of(cls, megabytes: int | None) -> Self | None:
        """Raises SettingsError: less than the process holds already, so that each start would be in vain."""
        if megabytes is None:
            return None
        held = -(-resident_bytes() // MEGABYTE)
        if megabytes <= held:
            raise SettingsError(
                f"MEMORY_LIMIT_MB: {megabytes} is too little; the worker holds {held} MB before it begins"
            )
        return cls(megabytes * MEGABYTE)

    async def run(self) -> None:
        """Watch until the ceiling is reached, or until cancelled."""
        self.limit_growth(HARD * max(0, self.limit - self.resident()))
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            held = self.resident()
            if held >= self.limit:
                break
        logger.warning(
            "the memory limit is reached: draining, then ending",
            resident_mb=round(held / MEGABYTE),
            limit_mb=self.limit // MEGABYTE,
        )
        self.end()
