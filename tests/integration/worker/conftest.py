"""Both queues, under the same tests."""

from collections.abc import AsyncIterator

import pytest

from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.queues.memory import MemoryQueue
from prodigon_lib.worker.queues.postgres import PostgresQueue


@pytest.fixture(params=["postgres", "memory"])
def unopened(request: pytest.FixtureRequest) -> Queue:
    if request.param == "memory":
        return MemoryQueue()
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
