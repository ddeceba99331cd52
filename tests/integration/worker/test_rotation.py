"""The queue's login is rotated: who connects next comes as the new role."""

import asyncio
from collections.abc import Iterator

import pytest

from prodigon_lib.core.rotation import RotatingSecret
from prodigon_lib.persistence.url import rotating_url
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.worker.queues.postgres import PostgresQueue
from tests.integration.rotated import asking_server, give_role, run, url_of
from tests.integration.worker.jobs import new_job


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with asking_server() as postgres:
        yield postgres


async def test_the_queue_goes_on_under_a_new_role(server: EmbeddedPostgres) -> None:
    first, second = [url_of(server, role, await give_role(server, role)) for role in ("first", "second")]
    queue = PostgresQueue(rotating_url(RotatingSecret("DATABASE_URL", first, lambda: second)))
    await queue.open()
    try:
        await queue.enqueue([new_job("before")])
        await run(server, "ALTER ROLE first NOLOGIN")
        await asyncio.gather(*(queue.enqueue([new_job(f"after {number}")]) for number in range(8)))
    finally:
        await queue.close()
