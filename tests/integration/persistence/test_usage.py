"""A day's tokens in Postgres: set aside and settled, exactly, however many come at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from prodigon_lib.core.ids import DEFAULT_USER_ID as USER
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.persistence.usage import UsageRepository


@pytest.fixture
async def gateways(database: DatabaseUrl) -> AsyncIterator[list[UsageRepository]]:
    """Two, each with a pool of its own."""
    pools = [Database(database, pool_size=5) for _ in range(2)]
    yield [UsageRepository(pool) for pool in pools]
    for pool in pools:
        await pool.close()


async def test_what_was_used_takes_the_place_of_what_was_set_aside(gateways: list[UsageRepository]) -> None:
    usage = gateways[0]
    first = await usage.reserve(USER, 60, 100)
    assert first is not None
    assert await usage.reserve(USER, 41, 100) is None
    assert await usage.today(USER) == 60
    await usage.settle(first, 10)
    assert await usage.today(USER) == 10
    assert await usage.reserve(USER, 90, 100) is not None
    assert await usage.today(USER) == 100


async def test_more_than_the_limit_is_never_set_aside(gateways: list[UsageRepository]) -> None:
    """Also by the first of a day, which finds no row."""
    assert await gateways[0].reserve(USER, 101, 100) is None
    assert await gateways[0].today(USER) == 0


async def test_exactly_the_limit_gets_in_at_once(gateways: list[UsageRepository]) -> None:
    asking = [gateways[n % 2].reserve(USER, 10, 205) for n in range(100)]
    reserved = [each for each in await asyncio.gather(*asking) if each is not None]
    assert len(reserved) == 20
    assert await gateways[0].today(USER) == 200
    await asyncio.gather(*(gateways[n % 2].settle(each, 3) for n, each in enumerate(reserved)))
    assert await gateways[1].today(USER) == 60
