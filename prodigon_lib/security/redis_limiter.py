"""A rate limiter that several processes share. Apart, as a process without Redis need not load its client."""

import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.persistence.redis import redis_faults
from prodigon_lib.security.limiters import MemoryLimiter
from prodigon_lib.security.rates import Rate, Verdict

REST_SECONDS = 1.0

TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, period, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local ahead = due + cost * interval - now
if ahead > period then
    return {0, due - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
return {1, ahead}
"""
"""The whole rule in one step, by Redis' clock: two gateways can't both take the last place, nor do their own
clocks matter. The key goes by itself once it says nothing any more."""


class RedisLimiter:
    """Shared by all processes that use the same Redis.

    While Redis is away, each process counts for itself: a flood must not be let in for that, nor everybody be
    turned away. For a second after a fault it is not asked again, so that not every request waits for it.
    """

    def __init__(
        self,
        redis: Redis,
        rate: Rate,
        *,
        prefix: str,
        lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: `lost` is called for each request that Redis was not there for."""
        self.rate, self._prefix, self._lost, self._clock = rate, prefix, lost, clock
        self._script: Any = redis.register_script(TAKE)
        self._meanwhile = MemoryLimiter(rate, clock=clock)
        self._until = 0.0

    async def take(self, key: str, cost: int = 1) -> Verdict:
        if self._clock() >= self._until:
            try:
                with redis_faults():
                    allowed, ahead = await self._script(
                        keys=[f"{self._prefix}:rate:{self.rate.limit}/{self.rate.seconds}:{key}"],
                        args=[self.rate.interval, self.rate.period, cost],
                    )
                return self.rate.verdict(allowed=bool(allowed), ahead=int(ahead), cost=cost)
            except ProdigonError:
                self._until = self._clock() + REST_SECONDS
        self._lost()
        return await self._meanwhile.take(key, cost)
