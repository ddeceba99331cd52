"""Counts nobody: every old key lives for as long as its lease."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Held:
    def __init__(self, key: str) -> None:
        self.key = key
        self.users = 0
        self.unused = asyncio.Event()
        self.unused.set()


class RotatingKey:
    def __init__(
        self,
        issue: Callable[[], Awaitable[str]],
        revoke: Callable[[str], Awaitable[None]],
        *,
        lease: float,
    ) -> None:
        self.issue, self.revoke, self.lease = issue, revoke, lease

    async def start(self) -> None:
        self.held = Held(await self.issue())

    @asynccontextmanager
    async def use(self) -> AsyncIterator[str]:
        yield self.held.key

    async def rotate(self) -> None:
        new = Held(await self.issue())
        old, self.held = self.held, new
        await asyncio.sleep(self.lease)
        await self.revoke(old.key)
