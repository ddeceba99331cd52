# fails: is killed
import asyncio
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

Fetch = Callable[[], Awaitable[str]]


class SingleFlight:
    def __init__(self, redis: Redis, *, lease: float) -> None:
        self.redis, self.lease = redis, lease

    async def get(self, key: str, fetch: Fetch, *, seconds: int) -> str:
        lead = f"{key}:lead"
        while (value := await self.kept(key)) is None:
            if await self.redis.set(lead, "taken", nx=True):
                try:
                    if (value := await self.kept(key)) is None:
                        value = await fetch()
                        await self.redis.set(key, value, ex=seconds)
                    return value
                finally:
                    await self.redis.delete(lead)
            await asyncio.sleep(0.03)
        return value

    async def kept(self, key: str) -> str | None:
        value = await self.redis.get(key)
        return None if value is None else str(value.decode())
