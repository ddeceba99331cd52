"""The two stores, each with nothing in it."""

from collections.abc import AsyncIterator

import pytest

from prodigon_lib.cache.memory import MemoryStore
from prodigon_lib.cache.redis import RedisStore
from prodigon_lib.cache.store import Store
from prodigon_lib.persistence.redis import open_redis
from tests.integration.redis_server import RedisServer


def redis_store(url: str, seconds: float = 2.0) -> RedisStore:
    return RedisStore(open_redis(url, connect_seconds=seconds, answer_seconds=seconds), "test")


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    found: Store = MemoryStore(entries=1000, bytes=1_000_000)
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        found = redis_store(server.url)
    yield found
    await found.close()
