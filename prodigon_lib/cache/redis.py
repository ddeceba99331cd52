"""Answers kept in Redis: all processes share them, and one of all of them fetches."""

import struct
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from prodigon_lib.cache.store import Entry, Place, StoreAway
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.logging import get_logger
from prodigon_lib.persistence.redis import redis_faults
from prodigon_lib.transport.breaker import Breaker

logger = get_logger("cache", service="gateway")

STORED = struct.Struct(">d")
"""In front of the body: when it was stored."""

CLAIM = """
local kept = redis.call('GET', KEYS[1])
if kept then return kept end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
FILL = """
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

Result = TypeVar("Result")


class RedisStore:
    """Each key with an expiry, so that a full Redis can make room.

    Redis that fails several times in a row is left alone for a while: a request must not pay the timeout
    that the one before it paid.

    Args:
        prefix: begins each name in Redis.
        on_error: hears of each call that failed.
    """

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        *,
        breaker: Breaker | None = None,
        on_error: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis, self._prefix, self._on_error = redis, prefix, on_error
        self.breaker = breaker or Breaker(limit=3, rest=1.0)
        scripts = (CLAIM, RENEW, FILL, RELEASE)
        self._claim, self._renew, self._fill, self._release = map(redis.register_script, scripts)

    async def get(self, key: str) -> Entry | None:
        found: Any = await self._asked(lambda: self._redis.get(self._answer(key)))
        return None if found is None else unpacked(found)

    async def claim(self, key: str, owner: str, lease: float) -> Entry | Place:
        keys = [self._answer(key), self._lease(key)]
        found = await self._asked(lambda: self._claim(keys, [owner, milliseconds(lease)]))
        if isinstance(found, bytes):
            return unpacked(found)
        return Place.LEADS if found else Place.WAITS

    async def renew(self, key: str, owner: str, lease: float) -> bool:
        return bool(await self._asked(lambda: self._renew([self._lease(key)], [owner, milliseconds(lease)])))

    async def fill(self, key: str, owner: str, entry: Entry, seconds: float) -> None:
        keys = [self._answer(key), self._lease(key)]
        packed = STORED.pack(entry.stored) + entry.body
        await self._asked(lambda: self._fill(keys, [owner, packed, milliseconds(seconds)]))

    async def release(self, key: str, owner: str) -> None:
        await self._asked(lambda: self._release([self._lease(key)], [owner]))

    async def close(self) -> None:
        await self._redis.aclose()

    def _answer(self, key: str) -> str:
        """The braces keep an answer and its lease on one node of a cluster, as the scripts need."""
        return f"{self._prefix}:cache:{{{key}}}"

    def _lease(self, key: str) -> str:
        return f"{self._answer(key)}:lease"

    async def _asked(self, call: Callable[[], Awaitable[Result]]) -> Result:
        if not self.breaker.admits():
            raise StoreAway
        try:
            with redis_faults():
                result = await call()
        except (ProdigonError, RedisError) as error:
            self.breaker.failed()
            self._on_error()
            if self.breaker.failures == self.breaker.limit:  # many may fail at once; one line is enough
                logger.warning("the cache is away", reason=str(error))
            raise StoreAway from error
        except BaseException:
            self.breaker.abandoned()
            raise
        if self.breaker.open:
            logger.info("the cache is back")
        self.breaker.succeeded()
        return result


def unpacked(value: bytes) -> Entry:
    (stored,) = STORED.unpack_from(value)
    return Entry(value[STORED.size :], stored)


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
