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
        # <gap> Let one of all processes fetch; the others wait for its value, and for no longer than need be.
        # | value = await self.kept(key)
        # | if value is None:
        # |     value = await fetch()
        # |     await self.redis.set(key, value, ex=seconds)
        # | return value
        owner, lead = uuid4().hex, f"{key}:lead"
        while (value := await self.kept(key)) is None:
            # Who leads has a lease and not a lock: Redis takes it back from one that died. Renewed while a
            # fetch runs, it could be much shorter than one, and a death noticed sooner.
            if await self.redis.set(lead, owner, nx=True, px=round(self.lease * 1000)):
                return await self.fetched(key, lead, owner, fetch, seconds)
            await asyncio.sleep(LOOK_EVERY)
        return value
        # </gap>

    # <solution>
    async def fetched(self, key: str, lead: str, owner: str, fetch: Fetch, seconds: int) -> str:
        try:
            # Once more: the one before may have kept it between our look and our lead.
            if (value := await self.kept(key)) is None:
                value = await fetch()
                await self.redis.set(key, value, ex=seconds)
            return value
        finally:
            # Also when it failed, or its caller left. Only our own: ours may have run out, and another leads.
            await self.redis.eval(RELEASE, 1, lead, owner)

    # </solution>
    async def kept(self, key: str) -> str | None:
        value = await self.redis.get(key)
        return None if value is None else str(value.decode())
