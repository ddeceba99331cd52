"""What a claim reads, and how many statements a worker needs: counted, not timed."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.queues import statements as sql
from prodigon_lib.worker.queues.connections import prepare
from prodigon_lib.worker.queues.postgres import PostgresQueue
from tests.integration.worker.fake_model import FakeModel
from tests.integration.worker.jobs import enqueue, view
from tests.integration.worker.working import working
from tests.polling import eventually

FINISHED_JOBS = """
INSERT INTO batch_jobs (id, user_id, status, max_tokens, total_prompts, remaining_prompts, completed_at)
SELECT gen_random_uuid(), $1, 'completed', 64, 100, 0, now() FROM generate_series(1, $2::int)
"""
FINISHED_PROMPTS = """
INSERT INTO job_prompts (job_id, position, prompt, status, attempts, result, finished_at)
SELECT id, n, 'p', 'completed', 1, 'r', now() FROM batch_jobs, generate_series(0, 99) AS n
WHERE status = 'completed'
"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def explained(connection: asyncpg.Connection) -> dict[str, Any]:
    """The plan of a claim of fifty, and what it read; the claim is taken back."""
    transaction = connection.transaction()
    await transaction.start()
    said = await connection.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql.CLAIM}", 50, uuid4(), "w", 30.0
    )
    await transaction.rollback()
    plan: dict[str, Any] = json.loads(said)[0]["Plan"]
    return plan


async def test_a_claim_reads_no_more_when_much_has_finished(
    database: DatabaseUrl, postgres_queue: PostgresQueue
) -> None:
    connection = await asyncpg.connect(database.dsn)
    await prepare(connection)
    await enqueue(postgres_queue, *(f"p{n}" for n in range(100)))
    before = await explained(connection)
    await connection.execute("SET session_replication_role = replica")  # no foreign key is checked: faster
    await connection.execute(FINISHED_JOBS, DEFAULT_USER_ID, 300)
    await connection.execute(FINISHED_PROMPTS)
    after = await explained(connection)
    await connection.close()
    scans = {
        (node["Node Type"], node["Index Name"])
        for node in nodes(after)
        if node.get("Relation Name") == "job_prompts" and "Scan" in node["Node Type"]
    }
    # It finds its rows by the first, which has only what can be claimed, and updates them by the second.
    assert scans == {("Index Scan", "ix_job_prompts_claimable"), ("Index Scan", "pk_job_prompts")}
    read = [plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in (before, after)]
    assert read[1] < 2 * read[0]  # thirty thousand rows more: a level of the primary key's tree


class CountedQueue(PostgresQueue):
    """Counts what goes to the database, by its statement."""

    def __init__(self, url: DatabaseUrl) -> None:
        super().__init__(url)
        self.sent: list[str] = []

    async def _fetch(self, statement: str, *arguments: Any) -> list[Any]:
        self.sent.append(statement)
        return await super()._fetch(statement, *arguments)


@pytest.fixture
def counted(database: DatabaseUrl) -> CountedQueue:
    return CountedQueue(database)


async def test_quick_prompts_share_their_statements(counted: CountedQueue) -> None:
    async with working(counted, FakeModel(), worker_concurrency=50) as worker:
        job = await enqueue(worker.queue, *(f"p{n}" for n in range(100)))

        async def done() -> bool:
            return (await view(worker.queue, job)).status.finished

        await eventually(done)
    assert counted.sent.count(sql.CLAIM) < 100 / 4
    assert counted.sent.count(sql.SETTLE) < 100 / 4


async def test_slow_prompts_are_not_hoarded(database: DatabaseUrl) -> None:
    """Of two workers with room for four each, neither claims what the other could run."""
    first, second = FakeModel(), FakeModel()
    first.gate.clear()
    second.gate.clear()
    one, other = PostgresQueue(database), PostgresQueue(database)
    async with (
        working(one, first, worker_concurrency=4) as worker,
        working(other, second, worker_concurrency=4),
    ):
        await enqueue(worker.queue, *(f"p{n}" for n in range(8)))
        await eventually(lambda: first.in_flight == second.in_flight == 4)
        first.gate.set()
        second.gate.set()
