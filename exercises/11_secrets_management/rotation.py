"""Exercise 11.2: rotate a key while requests run.

A service works with a key of an issuer, which looks at it when a request begins and again when it ends. `use`
gives a request its key; `rotate` is called at any moment, as often as somebody likes. Done when

- no request fails, and the process that answers is the same before and after;
- `lease` seconds after a rotation at the latest the key before it is revoked, also where a request hangs on
  it: only a request that takes longer than the lease may fail;
- two rotations at the same moment leave one living key, and none that nobody knows of;
- an issuer that gives no new key leaves everything as it was: `rotate` raises, and requests go on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


class Held:
    """A key, and how many requests are using it."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.users = 0
        self.unused = asyncio.Event()
        self.unused.set()


class RotatingKey:
    """A key that changes. `issue` asks for a new one, `revoke` ends one; both take a while."""

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
        """The key of one request, from its beginning to its end."""
        # TODO Keep the key alive for as long as the request uses it.
        yield self.held.key

    async def rotate(self) -> None:
        """A new key for all requests that begin from now on, and an end for the one before."""
        # TODO Put the new key before the old one, and end that when it is right.
        await self.revoke(self.held.key)
        self.held = Held(await self.issue())
