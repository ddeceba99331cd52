"""The connection to a real Redis, and what its faults become."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from prodigon_lib.core.errors import UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.persistence.redis import open_redis, redis_faults
from tests.integration.redis_server import RedisServer, redis_of_its_own


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_of_its_own() as server:
        yield server


@asynccontextmanager
async def opened(url: str, **settings: float) -> AsyncIterator[Redis]:
    client = open_redis(url, **settings)
    try:
        yield client
    finally:
        await client.aclose()


async def test_what_is_written_is_read(redis_server: RedisServer) -> None:
    async with opened(redis_server.url) as client:
        with redis_faults():
            await client.set("name", "value")
            assert await client.get("name") == b"value"


async def test_one_that_is_away_is_said_to_be_and_comes_back(server: RedisServer) -> None:
    async with opened(server.url) as client:
        await client.set("name", "value")
        server.kill()
        with pytest.raises(UpstreamUnavailable, match="Redis is away"), redis_faults():
            await client.get("name")
        server.start()
        with redis_faults():
            assert await client.get("name") == b"value"


async def test_one_that_hangs_is_given_up(server: RedisServer) -> None:
    async with opened(server.url, answer_seconds=0.2) as client:
        await client.ping()
        server.signal(signal.SIGSTOP)
        with pytest.raises(UpstreamTimeout), redis_faults():
            await client.get("name")


async def test_one_that_is_full_is_away_for_who_writes(server: RedisServer) -> None:
    async with opened(server.url) as client:
        await client.config_set("maxmemory", "1")
        with pytest.raises(UpstreamUnavailable, match="no more writes"), redis_faults():
            await client.set("name", "value")


async def test_more_callers_than_connections_wait_for_one(redis_server: RedisServer) -> None:
    async with opened(redis_server.url, pool_size=2) as client:
        with redis_faults():
            await asyncio.gather(*(client.incr("count") for _ in range(50)))
        assert await client.get("count") == b"50"


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme"):
        open_redis("http://127.0.0.1:6379")
