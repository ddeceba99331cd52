"""A lock makes rotations wait for each other; an old key ends in a task of its own."""

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
        self.lock = asyncio.Lock()
        self.ending: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self.held = Held(await self.issue())

    @asynccontextmanager
    async def use(self) -> AsyncIterator[str]:
        held = self.held
        held.users += 1
        held.unused.clear()
        try:
            yield held.key
        finally:
            held.users -= 1
            if not held.users:
                held.unused.set()

    async def rotate(self) -> None:
        async with self.lock:
            new = Held(await self.issue())
            old, self.held = self.held, new
        task = asyncio.create_task(self.end(old))
        self.ending.add(task)
        task.add_done_callback(self.ending.discard)

    async def end(self, old: Held) -> None:
        await asyncio.wait({asyncio.create_task(old.unused.wait())}, timeout=self.lease)
        await self.revoke(old.key)
