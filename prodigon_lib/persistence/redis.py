"""One pool of connections to Redis for a process, whose faults come out as errors of ours.

redis = open_redis("redis://127.0.0.1:6379/0")
with redis_faults():
    await redis.get("key")
await redis.aclose()
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MaxConnectionsError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout

from prodigon_lib.core.errors import BadRequest, ProdigonError, UpstreamTimeout, UpstreamUnavailable

AWAY = "Redis is away"
SLOW = "Redis took too long"
NO_WRITES = ("command not allowed when used memory", "MISCONF")
"""Its memory is full; its disk refuses. Of a script's error, before Redis 7, only the text tells."""


def open_redis(
    url: str, *, pool_size: int = 10, connect_seconds: float = 2.0, answer_seconds: float = 5.0
) -> Redis:
    """A client that connects when first used, so Redis may be away at the start. Values are bytes.

    A call is tried once: whether it may be repeated, its caller knows.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        pool_size: connections kept and lent at most; a caller beyond waits `connect_seconds`, then fails.
        answer_seconds: until an answer is there; a call that blocks in Redis must ask for less.

    Raises:
        ValueError: the address is none of these.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=pool_size,
        timeout=connect_seconds,
        socket_connect_timeout=connect_seconds,
        socket_timeout=answer_seconds,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


async def ping(url: str) -> None:
    """Whether a Redis answers there, once.

    Raises:
        BadRequest: this is no address of a Redis.
        UpstreamUnavailable, UpstreamTimeout: as `redis_faults` has them.
    """
    try:
        client = open_redis(url, pool_size=1, answer_seconds=2.0)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    try:
        with redis_faults():
            await client.ping()
    finally:
        await client.aclose()


@contextmanager
def redis_faults() -> Iterator[None]:
    """Around calls to Redis. Where a time limit stands inside of it, `heeded` belongs inside of that.

    Raises:
        UpstreamUnavailable: Redis is away, loading its data, full, or refused the login.
        UpstreamTimeout: it took too long.
    """
    try:
        with heeded():
            yield
    except (RedisError, OSError) as error:
        problem = redis_error(error)
        if problem is None:
            raise
        raise problem from error


@contextmanager
def heeded() -> Iterator[None]:
    """A cancellation that redis-py drops, as it does while it connects, is raised at the end.

    Otherwise a caller that was told to end goes on: with what nobody waits for, or past its time.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def redis_error(error: Exception) -> ProdigonError | None:
    """What a caller is told of a fault of Redis or of the way to it; `None` for a fault of ours."""
    if isinstance(error, RedisTimeout | TimeoutError):
        return UpstreamTimeout(SLOW)
    if isinstance(error, AuthenticationError):
        return UpstreamUnavailable("Redis refused the login: check REDIS_URL")
    if isinstance(
        error, MaxConnectionsError | BusyLoadingError | ReadOnlyError | RedisConnectionError | OSError
    ):
        return UpstreamUnavailable(AWAY, retry_after=1)
    if any(code in str(error) for code in NO_WRITES):
        return UpstreamUnavailable("Redis takes no more writes", retry_after=1)
    return None
