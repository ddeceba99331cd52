"""Every queue, under the same tests."""

from collections.abc import AsyncIterator

import pytest

from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.queues.memory import MemoryQueue
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.worker.queues.redis import RedisQueue
from tests.integration.redis_server import RedisServer
from tests.integration.worker.stores import PostgresStore, RedisStore, Store


@pytest.fixture(params=["postgres", "redis", "memory"])
def unopened(request: pytest.FixtureRequest) -> Queue:
    if request.param == "memory":
        return MemoryQueue()
    if request.param == "redis":
        return RedisQueue(request.getfixturevalue("redis_server").url)
    return PostgresQueue(request.getfixturevalue("database"))


@pytest.fixture
async def queue(unopened: Queue) -> AsyncIterator[Queue]:
    await unopened.open()
    yield unopened
    await unopened.close()


@pytest.fixture
async def postgres_queue(database: DatabaseUrl) -> AsyncIterator[PostgresQueue]:
    queue = PostgresQueue(database)
    await queue.open()
    yield queue
    await queue.close()


@pytest.fixture
async def redis_queue(redis_server: RedisServer) -> AsyncIterator[RedisQueue]:
    queue = RedisQueue(redis_server.url)
    await queue.open()
    yield queue
    await queue.close()


@pytest.fixture(params=["postgres", "redis"])
def store(request: pytest.FixtureRequest) -> Store:
    """What outlives its workers, and is shared by them."""
    if request.param == "redis":
        return RedisStore(request.getfixturevalue("redis_server").url)
    return PostgresStore(request.getfixturevalue("database"))


@pytest.fixture
async def shared_queue(store: Store) -> AsyncIterator[Queue]:
    queue = store.queue()
    await queue.open()
    yield queue
    await queue.close()
