"""Several workers on one queue, whatever keeps it: what they do at once, and what is lost on its way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.worker.queues import statements as sql
from prodigon_lib.worker.queues.base import Queue, Retry
from prodigon_lib.worker.queues.scripts import prompts as scripts
from tests.integration.worker.jobs import EXPIRED, LONG, claim, complete, enqueue, new_job, view
from tests.integration.worker.stores import Store

ME = DEFAULT_USER_ID
CLAIMS = (sql.CLAIM, scripts.CLAIM)


async def test_two_workers_never_leave_a_job_running(store: Store, shared_queue: Queue) -> None:
    """Many rounds of two workers that end the last prompts of the same jobs, in opposite orders."""
    other = store.queue()
    await other.open()
    for _ in range(60):
        jobs = await shared_queue.enqueue([new_job("a", "b") for _ in range(3)])
        first = await claim(shared_queue, 3)
        second = await claim(other, 3)
        await asyncio.gather(complete(shared_queue, *first), complete(other, *reversed(second)))
        assert [(await view(shared_queue, job)).status for job in jobs] == [JobStatus.COMPLETED] * 3
    await other.close()


async def test_every_verb_at_once_neither_deadlocks_nor_loses_a_prompt(
    store: Store, shared_queue: Queue
) -> None:
    """Batches that span jobs, completed, handed back, extended, reaped and cancelled by three workers."""
    jobs = await shared_queue.enqueue([new_job(*(f"{n}.{at}" for at in range(10))) for n in range(12)])
    doomed = jobs[::4]

    async def work(name: str) -> None:
        queue = store.queue()
        await queue.open()
        try:
            while await unended(queue):
                claims = await claim(queue, 7, worker=name, lease=EXPIRED if name == "frail" else LONG)
                await asyncio.gather(
                    queue.extend(claims, LONG),
                    complete(queue, *reversed(claims[::2])),
                    queue.retry([Retry(each, 0.0) for each in claims[1::4]]),
                    queue.release(claims[3::4]),
                    queue.reap(1000),
                )
        finally:
            await queue.close()

    async def cancel() -> None:
        for job in doomed:
            await shared_queue.cancel(ME, JobId(job.job_id))

    async with asyncio.timeout(30):
        await asyncio.gather(work("one"), work("two"), work("frail"), cancel())
    for job in jobs:
        now = await view(shared_queue, job)
        assert now.status is (JobStatus.CANCELLED if job in doomed else JobStatus.COMPLETED)
        assert now.completed_prompts == 10 or job in doomed


async def unended(queue: Queue) -> int:
    depth = await queue.depth()
    return depth.ready + depth.delayed + depth.running


@pytest.fixture
def lossy(shared_queue: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, a claim is carried out and its answer does not arrive."""
    way = "_fetch" if hasattr(shared_queue, "_fetch") else "_run"
    send: Callable[..., Awaitable[Any]] = getattr(shared_queue, way)

    async def lost(statement: str, *arguments: object) -> Any:
        answer = await send(statement, *arguments)
        if statement in CLAIMS:
            raise UpstreamUnavailable("the connection broke")
        return answer

    return lambda: monkeypatch.setattr(shared_queue, way, lost)


async def test_a_claim_whose_answer_was_lost_is_given_back_by_the_next(
    shared_queue: Queue, lossy: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks just after the commit: the prompt does not wait for its lease."""
    await enqueue(shared_queue, "a")
    lossy()
    with pytest.raises(UpstreamUnavailable):
        await claim(shared_queue)
    monkeypatch.undo()
    (again,) = await claim(shared_queue)
    assert (again.prompt, again.attempt) == ("a", 1)
    await complete(shared_queue, again)
