"""Exercise 8.3: single flight.

A hot answer expires, and all who want it miss at once, in several processes that share a Redis. Done when

- a hundred who miss one key at once, over three processes, cost one `fetch`, and all get its value;
- other keys are fetched meanwhile: nobody waits for a key that is not theirs;
- the process that fetches is killed, and the others have a value soon after `lease` seconds;
- a `fetch` that raises is kept by nobody, and holds up nobody: the next one fetches at once;
- a caller who leaves takes nobody along.

A `fetch` takes less time than `lease`, unless its process is dead.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from redis.asyncio import Redis

Fetch = Callable[[], Awaitable[str]]

RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"
"""Deletes a key if it has this value, in one step: `await redis.eval(RELEASE, 1, key, value)`."""

LOOK_EVERY = 0.03


class SingleFlight:
    """Values in Redis, fetched by one of all who want them."""

    def __init__(self, redis: Redis, *, lease: float) -> None:
        self.redis, self.lease = redis, lease

    async def get(self, key: str, fetch: Fetch, *, seconds: int) -> str:
        """The value of `key`: the kept one, or what `fetch` gives, kept for `seconds`."""
        # TODO Let one of all processes fetch; the others wait for its value, and for no longer than need be.
        value = await self.kept(key)
        if value is None:
            value = await fetch()
            await self.redis.set(key, value, ex=seconds)
        return value

    async def kept(self, key: str) -> str | None:
        value = await self.redis.get(key)
        return None if value is None else str(value.decode())
