"""Races on Postgres: what one transaction does while another is held open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from prodigon_lib.core.errors import Conflict
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.queues import statements as sql
from prodigon_lib.worker.queues.base import Claim
from prodigon_lib.worker.queues.postgres import PostgresQueue
from tests.integration.locks import waits_for_a_lock
from tests.integration.worker.jobs import EXPIRED, LONG, claim, complete, enqueue, fail, new_job, view
from tests.polling import eventually

ME = DEFAULT_USER_ID
AT_ONCE = 2.0
"""Seconds: long for a statement, short for a wait on a lock that is held."""


@asynccontextmanager
async def held_open(database: DatabaseUrl) -> AsyncIterator[asyncpg.Connection]:
    """A second connection, in a transaction that commits at the end of the block."""
    connection = await asyncpg.connect(database.dsn)
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


async def test_a_claim_does_not_wait_for_another(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    await enqueue(postgres_queue, "a", "b")
    async with held_open(database) as first:
        (mine,) = await first.fetch(sql.CLAIM, 1, uuid4(), "first", LONG)
        (theirs,) = await asyncio.wait_for(claim(postgres_queue, 1), AT_ONCE)
    assert (mine["prompt"], theirs.prompt) == ("a", "b")


async def test_a_claim_does_not_wait_for_a_cancellation(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    job = await enqueue(postgres_queue, "a")
    await enqueue(postgres_queue, "b")
    async with held_open(database) as canceller:
        await canceller.execute(sql.CANCEL, job.job_id)
        (theirs,) = await asyncio.wait_for(claim(postgres_queue, 2), AT_ONCE)
    assert theirs.prompt == "b"


async def test_a_claim_does_not_wait_for_who_holds_its_job(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    job = await enqueue(postgres_queue, "a")
    async with held_open(database) as holder:
        await holder.fetch(sql.LOCK_JOB, job.job_id, ME)
        claims = await asyncio.wait_for(claim(postgres_queue), AT_ONCE)
    assert [each.prompt for each in claims] == ["a"]
    assert (await complete(postgres_queue, *claims)).finished == {job.job_id: JobStatus.COMPLETED}


async def test_a_heartbeat_does_not_wait_and_does_not_give_up_a_locked_prompt(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    await enqueue(postgres_queue, "a", "b")
    claims = await claim(postgres_queue)
    async with held_open(database) as other:
        await other.execute("SELECT FROM job_prompts WHERE position = 0 FOR UPDATE")
        held = await asyncio.wait_for(postgres_queue.extend(claims, LONG), AT_ONCE)
    assert set(held) == set(claims)


async def test_a_result_waits_for_a_cancellation_and_is_dropped(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    job = await enqueue(postgres_queue, "a", "b")
    claims = await claim(postgres_queue)
    async with held_open(database) as canceller:
        await canceller.fetch(sql.LOCK_JOB, job.job_id, ME)
        await canceller.execute(sql.CANCEL, job.job_id)
        late = asyncio.create_task(complete(postgres_queue, *claims))
        await eventually(lambda: waits_for_a_lock(database))
    assert not (await late).kept
    assert (await view(postgres_queue, job)).status is JobStatus.CANCELLED


async def test_a_cancellation_waits_for_the_last_result_and_finds_the_job_done(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    job = await enqueue(postgres_queue, "a")
    (last,) = await claim(postgres_queue)
    async with held_open(database) as worker:
        await worker.fetch(sql.SETTLE, *settling(last), "completed", 0, False)
        cancel = asyncio.create_task(postgres_queue.cancel(ME, JobId(job.job_id)))
        await eventually(lambda: waits_for_a_lock(database))
    with pytest.raises(Conflict):
        await cancel
    assert (await view(postgres_queue, job)).results == ["ok"]


async def test_a_cancellation_sees_what_was_retried_while_it_waited(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    job = await enqueue(postgres_queue, "a", "b")
    await fail(postgres_queue, *await claim(postgres_queue))
    async with held_open(database) as user:
        await user.fetch(sql.LOCK_JOB, job.job_id, ME)
        await user.execute(sql.RETRY_FAILED, job.job_id)
        cancel = asyncio.create_task(postgres_queue.cancel(ME, JobId(job.job_id)))
        await eventually(lambda: waits_for_a_lock(database))
    assert (await cancel).status is JobStatus.CANCELLED
    assert await claim(postgres_queue) == []


def settling(only: Claim) -> tuple[list[object] | None, ...]:
    return ([only.job], [only.position], [only.lease], ["ok"], None, None, None)


async def test_the_last_two_prompts_at_once(postgres_queue: PostgresQueue, database: DatabaseUrl) -> None:
    """The second result begins before the first has committed, and so with a count of two left."""
    job = await enqueue(postgres_queue, "a", "b")
    a, b = await claim(postgres_queue)
    async with held_open(database) as worker:
        await worker.fetch(sql.SETTLE, *settling(a), "completed", 0, False)
        second = asyncio.create_task(complete(postgres_queue, b))
        await eventually(lambda: waits_for_a_lock(database))
    assert (await second).finished == {job.job_id: JobStatus.COMPLETED}
    assert (await view(postgres_queue, job)).status is JobStatus.COMPLETED


async def test_jobs_are_locked_in_the_order_of_their_ids(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    """While a batch waits for the later job it has the earlier one, whatever the order of the batch."""
    await postgres_queue.enqueue([new_job("a"), new_job("b")])
    batch = sorted(await claim(postgres_queue), key=lambda taken: taken.job, reverse=True)
    later, earlier = (taken.job for taken in batch)
    async with held_open(database) as holder:
        await holder.fetch(sql.LOCK_JOB, later, ME)
        settling = asyncio.create_task(complete(postgres_queue, *batch))
        await eventually(lambda: waits_for_a_lock(database))
        async with held_open(database) as third:
            locked = "SELECT FROM batch_jobs WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED"
            assert await third.fetchrow(locked, earlier) is None
    assert len((await settling).finished) == 2


async def test_a_heartbeat_between_the_reapers_two_steps_saves_the_lease(
    postgres_queue: PostgresQueue, database: DatabaseUrl
) -> None:
    job = await enqueue(postgres_queue, "a")
    (mine,) = await claim(postgres_queue, lease=EXPIRED)
    async with held_open(database) as holder:
        await holder.fetch(sql.LOCK_JOB, job.job_id, ME)
        reaping = asyncio.create_task(postgres_queue.reap(9))
        await eventually(lambda: waits_for_a_lock(database))
        assert await postgres_queue.extend([mine], LONG) == [mine]
    assert (await reaping).released == 0
    assert (await complete(postgres_queue, mine)).kept == {mine}
