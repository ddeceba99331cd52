# fails: fetches for 100 misses
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

Fetch = Callable[[], Awaitable[str]]


class SingleFlight:
    def __init__(self, redis: Redis, *, lease: float) -> None:
        self.redis, self.lease = redis, lease

    async def get(self, key: str, fetch: Fetch, *, seconds: int) -> str:
        value = await self.kept(key)
        if value is None:
            value = await fetch()
            await self.redis.set(key, value, ex=seconds)
        return value

    async def kept(self, key: str) -> str | None:
        value = await self.redis.get(key)
        return None if value is None else str(value.decode())
