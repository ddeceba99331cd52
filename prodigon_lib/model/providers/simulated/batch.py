"""Requests that share one model: they slow each other down, and too many wait in line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prodigon_lib.model.providers.simulated.profiles import Profile


class Batch:
    """The streams that one model decodes at once. First come, first served."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.streams = 0
        """How many decode now."""
        self.waiting = 0
        """How many wait for a slot."""
        self._slots = asyncio.Semaphore(profile.slots)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place in the batch; given back also when its stream is cut or abandoned."""
        self.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.waiting -= 1
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1
            self._slots.release()

    def step_seconds(self) -> float:
        """Time until the next token of every stream, as many as there are now."""
        return self.profile.step_seconds(self.streams)
