"""The connection to a real Redis, and what its faults become."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from prodigon_lib.cache.redis import RedisStore
from prodigon_lib.core.errors import UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.persistence.redis import open_redis, redis_faults
from prodigon_lib.security.rates import Rate
from prodigon_lib.security.redis_limiter import RedisLimiter
from tests.integration.cancelling import MOMENTS, check_that_it_ends
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


async def bare(client: Redis) -> object:
    with redis_faults():
        return await client.get("name")


CALLS: dict[str, Callable[[Redis], Coroutine[Any, Any, object]]] = {
    "bare": bare,
    "cache": lambda client: RedisStore(client, "test").get("key"),
    "limiter": lambda client: RedisLimiter(client, Rate(1000, 1), prefix="test").take("a"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_call_that_is_cancelled_ends(
    redis_server: RedisServer, call: Callable[[Redis], Coroutine[Any, Any, object]]
) -> None:
    async with opened(redis_server.url, pool_size=1) as client:
        for moment in MOMENTS:
            await client.connection_pool.disconnect()
            await check_that_it_ends(call(client), moment)


async def test_a_time_limit_around_a_call_holds(redis_server: RedisServer) -> None:
    async with opened(redis_server.url) as client:
        await client.ping()

        async def too_long() -> None:
            async with asyncio.timeout(0.2):
                with redis_faults():
                    await client.blpop(["nothing"], 5)

        with pytest.raises(TimeoutError):
            await too_long()
