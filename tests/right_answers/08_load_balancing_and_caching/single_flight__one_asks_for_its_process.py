"""One of each process asks, for all who ask there; a short lease is renewed while its owner lives."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from redis.asyncio import Redis

Fetch = Callable[[], Awaitable[str]]
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class SingleFlight:
    def __init__(self, redis: Redis, *, lease: float) -> None:
        self.redis, self.lease = redis, lease
        self.running: dict[str, asyncio.Task[str]] = {}

    async def get(self, key: str, fetch: Fetch, *, seconds: int) -> str:
        if (task := self.running.get(key)) is None:
            task = self.running[key] = asyncio.create_task(self.shared(key, fetch, seconds))
            task.add_done_callback(lambda _: self.running.pop(key))
        return await asyncio.shield(task)

    async def shared(self, key: str, fetch: Fetch, seconds: int) -> str:
        owner, lead = uuid4().hex, f"{key}:lead"
        pause = 0.01
        while (value := await self.kept(key)) is None:
            if await self.redis.set(lead, owner, nx=True, px=round(self.lease * 500)):
                renewing = asyncio.create_task(self.renew(lead))
                try:
                    if (value := await self.kept(key)) is None:
                        value = await fetch()
                        await self.redis.set(key, value, ex=seconds)
                    return value
                finally:
                    renewing.cancel()
                    await self.redis.eval(RELEASE, 1, lead, owner)
            await asyncio.sleep(pause)
            pause = min(0.1, pause * 1.5)
        return value

    async def renew(self, lead: str) -> None:
        while True:
            await asyncio.sleep(self.lease / 6)
            await self.redis.pexpire(lead, round(self.lease * 500))

    async def kept(self, key: str) -> str | None:
        value = await self.redis.get(key)
        return None if value is None else str(value.decode())
