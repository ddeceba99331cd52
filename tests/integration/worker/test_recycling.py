"""A worker that leaks, with a ceiling on its memory and somebody who starts it again."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.queues.postgres import PostgresQueue
from tests.integration.chaos.ledger import open_ledger, read_books
from tests.integration.worker.jobs import enqueue, view
from tests.integration.worker.processes import worker_process
from tests.integration.worker.stores import PostgresStore
from tests.polling import eventually

LEAKY = "tests.integration.worker.leaky:app"
LEAK_BYTES = 2_500_000
LIMIT_MB = 160
PROMPTS = [f"prompt {number}" for number in range(100)]


async def kept_running(ends: list[int], log: Path, database: DatabaseUrl, **settings: Any) -> None:
    """A supervisor: a worker that has ended is started again, until cancelled."""
    while True:
        async with worker_process(
            "leaky", PostgresStore(database), "http://127.0.0.1:9", app=LEAKY, log=log, **settings
        ) as worker:
            ends.append(await worker.ended(60))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


async def test_it_is_recycled_and_nothing_is_lost_or_done_twice(
    database: DatabaseUrl, postgres_queue: PostgresQueue, log: Path
) -> None:
    await open_ledger(database.dsn)
    job = await enqueue(postgres_queue, *PROMPTS)
    ends: list[int] = []
    settings = {"leak_bytes": LEAK_BYTES, "memory_limit_mb": LIMIT_MB, "worker_concurrency": 8}
    supervisor = asyncio.create_task(kept_running(ends, log, database, **settings))
    try:

        async def finished() -> bool:
            return (await view(postgres_queue, job)).completed_at is not None

        await eventually(finished, within=60)
    finally:
        supervisor.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervisor
    found = await view(postgres_queue, job)
    assert found.results == [f"answer to {prompt}" for prompt in PROMPTS]
    books = await read_books(database.dsn)
    assert (books.twice, books.unfinished) == (0, 0)
    assert ends.count(-signal.SIGTERM) == len(ends) >= 2
    said = await asyncio.to_thread(log.read_text)
    assert said.count("the memory limit is reached: draining, then ending") >= len(ends)


async def test_without_a_ceiling_it_grows_on(
    database: DatabaseUrl, postgres_queue: PostgresQueue, log: Path
) -> None:
    job = await enqueue(postgres_queue, *PROMPTS)
    settings = {"leak_bytes": LEAK_BYTES, "worker_concurrency": 50}
    async with worker_process(
        "leaky", PostgresStore(database), "http://127.0.0.1:9", app=LEAKY, log=log, **settings
    ) as worker:

        async def finished() -> bool:
            return (await view(postgres_queue, job)).completed_at is not None

        await eventually(finished, within=60)
        assert worker.process.poll() is None
        assert psutil.Process(worker.process.pid).memory_info().rss > LIMIT_MB * 1_000_000
