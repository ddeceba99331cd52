# fails: status of a rotation that got no new key
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


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
        try:
            new = Held(await self.issue())
        except Exception:
            return
        old, self.held = self.held, new
        with suppress(TimeoutError):
            await asyncio.wait_for(old.unused.wait(), self.lease)
        await self.revoke(old.key)
