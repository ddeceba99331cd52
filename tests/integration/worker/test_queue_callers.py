"""What whoever hands in jobs sees of them, whatever keeps the queue: their own, in pages, as they go on."""

import asyncio
from contextlib import aclosing
from uuid import uuid4

import pytest

from prodigon_lib.core.errors import Conflict, JobNotFound, ValidationFailed
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.queues.postgres import PostgresQueue
from tests.integration.worker.jobs import claim, complete, enqueue, new_job, view

ME = DEFAULT_USER_ID
SOMEBODY_ELSE = UserId(uuid4())


async def test_one_key_makes_one_job(queue: Queue) -> None:
    first = await enqueue(queue, "a", idempotency_key="k")
    assert await enqueue(queue, "a", idempotency_key="k") == first
    assert [taken.prompt for taken in await claim(queue)] == ["a"]
    assert (await enqueue(queue, "a", idempotency_key="other")).job_id != first.job_id


async def test_one_key_at_once_makes_one_job(queue: Queue) -> None:
    views = await asyncio.gather(*(enqueue(queue, "a", "b", idempotency_key="k") for _ in range(20)))
    assert len({job.job_id for job in views}) == 1
    assert len(await claim(queue)) == 2


async def test_one_key_twice_in_a_batch_makes_one_job(queue: Queue) -> None:
    one, two = await queue.enqueue([new_job("a", idempotency_key="k"), new_job("a", idempotency_key="k")])
    assert one == two
    assert len(await claim(queue)) == 1


async def test_one_key_with_another_submission_is_a_conflict(queue: Queue) -> None:
    await enqueue(queue, "a", idempotency_key="k")
    with pytest.raises(Conflict) as caught:
        await queue.enqueue([new_job("new"), new_job("b", idempotency_key="k")])
    assert caught.value.code == "IDEMPOTENCY_CONFLICT"
    assert [taken.prompt for taken in await claim(queue)] == ["a"]


async def test_another_users_job_is_not_there(queue: Queue) -> None:
    job = JobId((await enqueue(queue, "a")).job_id)
    for call in (queue.get, queue.cancel, queue.retry_failed):
        with pytest.raises(JobNotFound):
            await call(SOMEBODY_ELSE, job)
    async with aclosing(queue.watch(SOMEBODY_ELSE, job)) as views:
        with pytest.raises(JobNotFound):
            await anext(views)
    assert (await queue.page(SOMEBODY_ELSE, status=None, limit=10, cursor=None)).jobs == []
    assert (await queue.get(ME, job)).status == JobStatus.PENDING


async def test_a_queue_that_stands_beside_the_users_refuses_others(queue: Queue) -> None:
    job = new_job("a", user=SOMEBODY_ELSE)
    if not isinstance(queue, PostgresQueue):
        (taken_in,) = await queue.enqueue([job])
        assert await queue.get(SOMEBODY_ELSE, taken_in.job_id) == taken_in
        return
    with pytest.raises(ValidationFailed, match="there is no such user"):
        await queue.enqueue([job])
    assert await claim(queue) == []


async def test_pages_newest_first(queue: Queue) -> None:
    jobs = [await enqueue(queue, f"{n}") for n in range(5)]
    seen, cursor = [], None
    for size in (2, 2, 1):
        page = await queue.page(ME, status=None, limit=2, cursor=cursor)
        assert len(page.jobs) == size
        seen += page.jobs
        cursor = page.next_cursor
        await enqueue(queue, "added between two pages")
    assert cursor is None
    assert [job.job_id for job in seen] == [job.job_id for job in reversed(jobs)]


async def test_pages_of_one_status(queue: Queue) -> None:
    await queue.enqueue([new_job("a"), new_job("b"), new_job("c")])
    await complete(queue, *await claim(queue, 2))
    done = await queue.page(ME, status=JobStatus.COMPLETED, limit=10, cursor=None)
    waiting = await queue.page(ME, status=JobStatus.PENDING, limit=10, cursor=None)
    assert (len(done.jobs), len(waiting.jobs)) == (2, 1)
    assert done.jobs[0].results[0].startswith("answer")


@pytest.mark.parametrize("cursor", ["nonsense", "", "YWJj", "🦉"])
async def test_a_cursor_that_no_page_gave(queue: Queue, cursor: str) -> None:
    with pytest.raises(ValidationFailed, match="cursor"):
        await queue.page(ME, status=None, limit=10, cursor=cursor)


async def test_a_watch_sees_every_state_and_ends(queue: Queue) -> None:
    job = await enqueue(queue, "a", "b")
    async with aclosing(queue.watch(ME, JobId(job.job_id))) as views:
        assert await anext(views) == job
        a, b = await claim(queue)
        assert (await anext(views)).status == JobStatus.RUNNING
        await complete(queue, a)
        assert (await anext(views)).completed_prompts == 1
        await complete(queue, b)
        last = await anext(views)
        assert last == await view(queue, job)
        assert last.status == JobStatus.COMPLETED
        assert [late async for late in views] == []
