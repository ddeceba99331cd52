# fails: fetches for 100 misses
import asyncio
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

Fetch = Callable[[], Awaitable[str]]


class SingleFlight:
    def __init__(self, redis: Redis, *, lease: float) -> None:
        self.redis, self.lease = redis, lease
        self.locks: dict[str, asyncio.Lock] = {}

    async def get(self, key: str, fetch: Fetch, *, seconds: int) -> str:
        async with self.locks.setdefault(key, asyncio.Lock()):
            value = await self.kept(key)
            if value is None:
                value = await fetch()
                await self.redis.set(key, value, ex=seconds)
            return value

    async def kept(self, key: str) -> str | None:
        value = await self.redis.get(key)
        return None if value is None else str(value.decode())
