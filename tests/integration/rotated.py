"""What tests of a rotation share: callers that go on meanwhile, and a secret that is written down anew."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import httpx

from tests.polling import eventually

Ask = Callable[[httpx.AsyncClient, int], Awaitable[str]]
"""One call of the caller of this number; what came of it."""


class Load:
    """Callers that ask again and again; what came of it is counted in `seen`."""

    def __init__(self, url: str) -> None:
        self.url, self.over = url, asyncio.Event()
        self.seen: Counter[str] = Counter()

    @asynccontextmanager
    async def running(self, ask: Ask, callers: int) -> AsyncIterator[Self]:
        tasks = [asyncio.create_task(self._call(ask, number)) for number in range(callers)]
        try:
            yield self
        finally:
            self.over.set()
            await asyncio.gather(*tasks)

    async def go_on(self, calls: int = 20) -> None:
        """Returns once so many more were answered."""
        wanted = self.seen.total() + calls
        await eventually(lambda: self.seen.total() >= wanted, within=60)

    async def _call(self, ask: Ask, number: int) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            while not self.over.is_set():
                self.seen[await ask(http, number)] += 1


def write_secret(path: Path, value: str) -> None:
    """In one step: a reader finds the old value or the new one."""
    draft = path.with_name("next")
    draft.write_text(f"{value}\n", encoding="utf-8")
    draft.replace(path)
