"""Three ways in which a service comes to its key. Each gives it to a request by `use`.

It is run by `rotation_process.py`, by its path.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

VARIABLE, FILE = "SERVICE_KEY", "SERVICE_KEY_FILE"

Issue = Callable[[], Awaitable[str]]
Revoke = Callable[[str], Awaitable[None]]


class FromTheEnvironment:
    """Read once: another key needs another process."""

    def __init__(self, issue: Issue, revoke: Revoke, *, lease: float) -> None:
        self.key = os.environ[VARIABLE]

    async def start(self) -> None:
        """Nothing to do: it was there before the process."""

    @asynccontextmanager
    async def use(self) -> AsyncIterator[str]:
        yield self.key


class FromAFile:
    """Read for each request, as a mounted secret may be: another key needs another file."""

    def __init__(self, issue: Issue, revoke: Revoke, *, lease: float) -> None:
        self.path = Path(os.environ[FILE])

    async def start(self) -> None:
        """Nothing to do: the file may change before the first request."""

    @asynccontextmanager
    async def use(self) -> AsyncIterator[str]:
        yield self.path.read_text()


class Leased:
    """Asked for by the service itself, again at half of each lease: nobody rotates, and nobody revokes."""

    def __init__(self, issue: Issue, revoke: Revoke, *, lease: float) -> None:
        self.issue, self.lease = issue, lease

    async def start(self) -> None:
        self.key = await self.issue()
        self.renewing = asyncio.create_task(self.renew())

    async def renew(self) -> None:
        while True:
            await asyncio.sleep(self.lease / 2)
            self.key = await self.issue()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[str]:
        yield self.key
