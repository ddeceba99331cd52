# fails: 25 keys
import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from redis.asyncio import Redis

Fetch = Callable[[], Awaitable[str]]
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class SingleFlight:
    def __init__(self, redis: Redis, *, lease: float) -> None:
        self.redis, self.lease = redis, lease

    async def get(self, key: str, fetch: Fetch, *, seconds: int) -> str:
        owner, lead = uuid4().hex, "lead"
        while (value := await self.kept(key)) is None:
            if await self.redis.set(lead, owner, nx=True, px=round(self.lease * 1000)):
                try:
                    if (value := await self.kept(key)) is None:
                        value = await fetch()
                        await self.redis.set(key, value, ex=seconds)
                    return value
                finally:
                    await self.redis.eval(RELEASE, 1, lead, owner)
            await asyncio.sleep(0.03)
        return value

    async def kept(self, key: str) -> str | None:
        value = await self.redis.get(key)
        return None if value is None else str(value.decode())
