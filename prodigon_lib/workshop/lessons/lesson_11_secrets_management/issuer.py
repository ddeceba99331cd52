"""Gives out keys, looks at them at the beginning and the end of a piece of work, and revokes them."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

ISSUE_SECONDS = 0.05
LEAST_SECONDS, MOST_SECONDS = 0.02, 0.4
"""How long a piece of work takes."""


@dataclass
class Issuer:
    """`alive` has the living keys in order; `began` and `ended` have when each did, by the loop's clock."""

    random: random.Random
    alive: list[str] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    broken: bool = False
    lease: float | None = None
    """Seconds after which a key ends by itself; none, and it lives until it is revoked."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path == "/issue":
            return await self.issue()
        if request.path == "/revoke":
            self.end(key)
            return web.Response()
        return await self.work(key, held="hold" in request.query)

    async def issue(self) -> web.Response:
        await asyncio.sleep(ISSUE_SECONDS)
        if self.broken:
            return web.Response(status=503, text="no keys today")
        return web.Response(text=self.new_key())

    def new_key(self) -> str:
        key = f"{self.random.getrandbits(128):032x}"
        loop = asyncio.get_running_loop()
        self.alive.append(key)
        self.began[key] = loop.time()
        if self.lease is not None:
            loop.call_later(self.lease, self.end, key)
        return key

    def end(self, key: str) -> None:
        if key in self.alive:
            self.alive.remove(key)
            self.ended[key] = asyncio.get_running_loop().time()

    async def work(self, key: str, *, held: bool) -> web.Response:
        """A piece of work; a held one hangs until it is released."""
        if key not in self.alive:
            self.refused["refused when it began"] += 1
            return web.Response(status=401)
        if held:
            await self.released.wait()
        await asyncio.sleep(self.random.uniform(LEAST_SECONDS, MOST_SECONDS))
        if key not in self.alive and not held:
            self.refused["cut off before its end"] += 1
            return web.Response(status=401)
        return web.Response(text="done")
