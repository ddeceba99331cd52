"""A Redis for the time of a check, and clients of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from prodigon_lib.core.errors import StackError
from prodigon_lib.persistence.redis import open_redis
from prodigon_lib.stack.redis import RedisServer
from prodigon_lib.workshop.checks import Attempt, Lacking

ANSWER_SECONDS = 0.4
"""How long a call to Redis may take that an answer makes. Redis itself takes a thousandth of it."""


@asynccontextmanager
async def redis_of(attempt: Attempt) -> AsyncIterator[RedisServer]:
    """A running server in the check's own folder.

    Raises:
        Lacking: this machine has none.
    """
    folder = attempt.folder
    try:
        server = RedisServer(folder / "redis", folder / "redis.log", folder / "r.sock")
    except StackError as error:
        raise Lacking("Redis", error.message) from None
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def client_of(server: RedisServer, *, seconds: float = ANSWER_SECONDS) -> AsyncIterator[Redis]:
    client = open_redis(server.url, pool_size=100, connect_seconds=seconds, answer_seconds=seconds)
    try:
        yield client
    finally:
        await client.aclose()
