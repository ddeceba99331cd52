"""A rate that several processes share, in a real Redis; and what becomes of it when that is away."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from prodigon_lib.persistence.redis import open_redis
from prodigon_lib.security.rates import Rate
from prodigon_lib.security.redis_limiter import RedisLimiter
from tests.integration.redis_server import RedisServer, redis_of_its_own
from tests.polling import eventually

A_HUNDRED = Rate(100, 3600)


@pytest.fixture
async def two(redis_server: RedisServer) -> AsyncIterator[list[Redis]]:
    """Connections of two processes, patient: who gives Redis up counts alone, and that is another test."""
    clients = [
        open_redis(redis_server.url, pool_size=50, connect_seconds=30, answer_seconds=30) for _ in range(2)
    ]
    yield clients
    for client in clients:
        await client.aclose()


async def let_in(limiters: list[RedisLimiter], count: int, key: str = "a") -> int:
    verdicts = await asyncio.gather(*(limiters[n % len(limiters)].take(key) for n in range(count)))
    return sum(verdict.allowed for verdict in verdicts)


async def test_of_two_hundred_at_once_exactly_the_limit_gets_in(two: list[Redis]) -> None:
    limiters = [RedisLimiter(client, A_HUNDRED, prefix="test") for client in two]
    assert await let_in(limiters, 200) == 100
    assert await let_in(limiters, 50) == 0
    assert await let_in(limiters, 200, key="b") == 100


async def test_places_come_back_by_redis_own_clock(two: list[Redis]) -> None:
    limiter = RedisLimiter(two[0], Rate(2, 1), prefix="test", clock=lambda: 0.0)
    assert await let_in([limiter], 5) == 2

    async def again() -> bool:
        return (await limiter.take("a")).allowed

    await eventually(again)


async def test_a_refusal_is_told_as_the_one_in_memory_does(two: list[Redis]) -> None:
    limiter = RedisLimiter(two[0], Rate(2, 10), prefix="test")
    await let_in([limiter], 2)
    refused = await limiter.take("a")
    assert refused.remaining == 0
    assert 4 < refused.retry_after <= 5


async def test_a_key_goes_by_itself(two: list[Redis]) -> None:
    await RedisLimiter(two[0], Rate(1, 1), prefix="test").take("a")

    async def gone() -> bool:
        return await two[0].dbsize() == 0

    await eventually(gone)


async def test_without_redis_each_process_counts_for_itself_and_none_waits_long() -> None:
    lost: list[int] = []
    with redis_of_its_own() as server:
        client = open_redis(server.url, answer_seconds=0.2, connect_seconds=0.2)
        limiter = RedisLimiter(client, Rate(10, 3600), prefix="test", lost=lambda: lost.append(1))
        try:
            assert await let_in([limiter], 5) == 5
            server.signal(signal.SIGSTOP)
            began = time.monotonic()
            allowed = sum([(await limiter.take("a")).allowed for _ in range(100)])
            assert allowed == 10
            assert len(lost) == 100
            assert time.monotonic() - began < 5  # a hundred that each waited would take twenty seconds
            server.signal(signal.SIGCONT)

            async def shared_again() -> bool:
                before = len(lost)
                await limiter.take("b")
                return len(lost) == before

            await eventually(shared_again)
        finally:
            server.signal(signal.SIGCONT)
            await client.aclose()
