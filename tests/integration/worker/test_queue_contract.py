"""What every queue does, whatever keeps it."""

import asyncio
from uuid import uuid4

import pytest

from prodigon_lib.core.errors import Conflict
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.worker.queues.base import Completion, Failure, Queue, Retry
from tests.integration.worker.jobs import EXPIRED, LONG, claim, complete, enqueue, fail, new_job, view
from tests.polling import eventually

ME = DEFAULT_USER_ID
SOMEBODY_ELSE = UserId(uuid4())


async def test_a_job_from_pending_to_completed(queue: Queue) -> None:
    job = await enqueue(queue, "a", "b")
    assert (job.status, job.results, job.completed_at) == (JobStatus.PENDING, [None, None], None)
    first, second = await claim(queue)
    assert (await view(queue, job)).status == JobStatus.RUNNING
    assert not (await complete(queue, second)).finished
    half = await view(queue, job)
    assert (half.status, half.results, half.completed_prompts) == ("running", [None, "answer to b"], 1)
    assert (await complete(queue, first)).finished == {job.job_id: JobStatus.COMPLETED}
    done = await view(queue, job)
    assert (done.status, done.results) == (JobStatus.COMPLETED, ["answer to a", "answer to b"])
    assert done.completed_at is not None
    assert done.completed_at >= done.created_at == job.created_at


async def test_a_claim_carries_what_the_run_needs(queue: Queue) -> None:
    new = new_job("a", request_id="r-1", traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    new.submission.model, new.submission.max_tokens = "some-model", 77
    (job,) = await queue.enqueue([new])
    (taken,) = await claim(queue)
    assert (taken.job, taken.position, taken.attempt, taken.prompt) == (job.job_id, 0, 1, "a")
    assert (taken.model, taken.max_tokens) == ("some-model", 77)
    assert (taken.request_id, taken.traceparent) == (new.request_id, new.traceparent)


async def test_first_come_first_served_and_never_twice(queue: Queue) -> None:
    await enqueue(queue, "a", "b", "c")
    await enqueue(queue, "d")
    assert [taken.prompt for taken in await claim(queue, 2)] == ["a", "b"]
    assert [taken.prompt for taken in await claim(queue, 5)] == ["c", "d"]
    assert await claim(queue, 5) == []


async def test_many_jobs_are_enqueued_at_once(queue: Queue) -> None:
    jobs = await queue.enqueue([new_job(f"{n}a", f"{n}b") for n in range(20)])
    assert len({job.job_id for job in jobs}) == 20
    prompts = [taken.prompt for taken in await claim(queue)]
    assert sorted(prompts) == sorted(f"{n}{x}" for n in range(20) for x in "ab")


async def test_a_failed_prompt_fails_its_job_and_the_job_says_why(queue: Queue) -> None:
    job = await enqueue(queue, "a", "b", "c")
    a, b, c = await claim(queue)
    await fail(queue, b)
    assert (await view(queue, job)).status == JobStatus.RUNNING
    settled = await complete(queue, a, c)
    assert settled.finished == {job.job_id: JobStatus.FAILED}
    done = await view(queue, job)
    assert (done.status, done.results) == (JobStatus.FAILED, ["answer to a", None, "answer to c"])
    assert [(e.index, e.code, e.message) for e in done.errors] == [(1, "UPSTREAM_ERROR", "no answer")]
    assert done.error == "1 of 3 prompts failed; the first, at index 1, with UPSTREAM_ERROR: no answer"


async def test_a_retried_prompt_comes_back_after_its_delay_only(queue: Queue) -> None:
    job = await enqueue(queue, "a")
    (first,) = await claim(queue)
    await queue.retry([Retry(first, LONG)])
    assert await claim(queue) == []
    assert (await queue.depth()).delayed == 1
    assert (await view(queue, job)).status == JobStatus.RUNNING


async def test_a_retried_prompt_comes_back_with_the_next_attempt(queue: Queue) -> None:
    await enqueue(queue, "a")
    (first,) = await claim(queue)
    assert (await queue.retry([Retry(first, 0.0)])).kept == {first}
    (second,) = await eventually(lambda: claim(queue))
    assert (second.attempt, second.lease != first.lease) == (2, True)


async def test_a_released_prompt_goes_to_the_front_and_costs_no_attempt(queue: Queue) -> None:
    await enqueue(queue, "a", "b")
    (a,) = await claim(queue, 1)
    assert (await queue.release([a])).kept == {a}
    (again,) = await claim(queue, 1)
    assert (again.prompt, again.attempt) == ("a", 1)


async def test_a_result_is_written_once(queue: Queue) -> None:
    job = await enqueue(queue, "a", "b")
    a, _ = await claim(queue)
    assert (await complete(queue, a)).kept == {a}
    assert not (await queue.complete([Completion(a, "another")])).kept
    assert (await view(queue, job)).results == ["answer to a", None]


@pytest.mark.parametrize("verb", ["complete", "fail", "retry", "release"])
async def test_a_lease_that_was_taken_over_writes_nothing(queue: Queue, verb: str) -> None:
    job = await enqueue(queue, "a")
    (late,) = await claim(queue, worker="slow", lease=EXPIRED)
    assert (await eventually(lambda: queue.reap(9))).released == 1
    (holder,) = await claim(queue, worker="quick")
    outcome = {
        "complete": [Completion(late, "late")],
        "fail": [Failure(late, "LATE", "late")],
        "retry": [Retry(late, 0)],
        "release": [late],
    }[verb]
    assert not (await getattr(queue, verb)(outcome)).kept
    assert await queue.extend([late, holder], LONG) == [holder]
    assert (await complete(queue, holder)).kept == {holder}
    assert (await view(queue, job)).results == ["answer to a"]


async def test_a_late_result_is_taken_while_nobody_else_has_the_prompt(queue: Queue) -> None:
    job = await enqueue(queue, "a")
    (late,) = await claim(queue, lease=EXPIRED)
    assert (await complete(queue, late)).kept == {late}
    assert (await queue.reap(9)).released == 0
    assert (await view(queue, job)).results == ["answer to a"]


async def test_a_heartbeat_keeps_a_lease(queue: Queue) -> None:
    await enqueue(queue, "a")
    (taken,) = await claim(queue, lease=EXPIRED)
    assert await queue.extend([taken], LONG) == [taken]
    assert (await queue.reap(9)).released == 0
    assert (await complete(queue, taken)).kept == {taken}


async def test_a_prompt_that_loses_every_worker_is_set_aside(queue: Queue) -> None:
    job = await enqueue(queue, "a", "poison")
    for attempt in (1, 2):
        a, poison = await eventually(lambda: claim(queue, lease=EXPIRED))
        assert poison.attempt == attempt
        if attempt == 2:
            await complete(queue, a)
        reaped = await eventually(lambda: queue.reap(2))
    assert (reaped.released, reaped.failed) == (0, 1)
    assert reaped.finished == {job.job_id: JobStatus.FAILED}
    done = await view(queue, job)
    assert (done.status, done.errors[0].code, done.results) == (
        "failed",
        "WORKER_LOST",
        ["answer to a", None],
    )


async def test_cancel_stops_what_waits_and_drops_what_runs(queue: Queue) -> None:
    told: list[JobId] = []
    queue.on_cancelled(told.append)
    job = await enqueue(queue, "a", "b", "c")
    a, b = await claim(queue, 2)
    await complete(queue, a)
    cancelled = await queue.cancel(ME, JobId(job.job_id))
    assert (cancelled.status, cancelled.results) == (JobStatus.CANCELLED, ["answer to a", None, None])
    assert cancelled.completed_at is not None
    assert await claim(queue) == []
    assert await queue.extend([b], LONG) == []
    assert not (await complete(queue, b)).kept
    assert await view(queue, job) == cancelled
    assert await queue.cancel(ME, JobId(job.job_id)) == cancelled
    await eventually(lambda: told == [job.job_id])


async def test_a_finished_job_is_not_cancelled(queue: Queue) -> None:
    job = await enqueue(queue, "a")
    await complete(queue, *await claim(queue))
    with pytest.raises(Conflict) as caught:
        await queue.cancel(ME, JobId(job.job_id))
    assert caught.value.code == "JOB_FINISHED"


async def test_what_failed_runs_again_with_all_its_attempts(queue: Queue) -> None:
    job = await enqueue(queue, "a", "b")
    a, b = await claim(queue)
    await complete(queue, a)
    await fail(queue, b)
    again = await queue.retry_failed(ME, JobId(job.job_id))
    assert (again.status, again.errors, again.completed_at) == (JobStatus.PENDING, [], None)
    (second,) = await claim(queue)
    assert (second.prompt, second.attempt) == ("b", 1)
    await complete(queue, second)
    done = await view(queue, job)
    assert (done.status, done.results, done.error) == ("completed", ["answer to a", "answer to b"], None)


async def test_what_failed_runs_again_while_the_rest_still_runs(queue: Queue) -> None:
    job = await enqueue(queue, "a", "b")
    a, b = await claim(queue)
    await fail(queue, b)
    assert (await queue.retry_failed(ME, JobId(job.job_id))).status == JobStatus.RUNNING
    assert not (await complete(queue, a)).finished
    assert (await complete(queue, *await claim(queue))).finished == {job.job_id: JobStatus.COMPLETED}


@pytest.mark.parametrize("end", ["nothing failed", "cancelled"])
async def test_nothing_to_retry(queue: Queue, end: str) -> None:
    job = await enqueue(queue, "a", "b")
    a, b = await claim(queue)
    if end == "cancelled":
        await fail(queue, a)
        await queue.cancel(ME, JobId(job.job_id))
    else:
        await complete(queue, a, b)
    with pytest.raises(Conflict) as caught:
        await queue.retry_failed(ME, JobId(job.job_id))
    assert caught.value.code == "NOTHING_TO_RETRY"


async def test_waiting_ends_when_work_comes(queue: Queue) -> None:
    await eventually(lambda: listening(queue))
    assert await claim(queue) == []
    waiting = asyncio.create_task(queue.wait_for_work(LONG))
    await enqueue(queue, "a")
    await asyncio.wait_for(waiting, 5)
    assert len(await claim(queue)) == 1


async def listening(queue: Queue) -> bool:
    """Whether a notification of this moment wakes it."""
    await queue.claim("nobody", 0, LONG)
    await enqueue(queue, "to be thrown away")
    try:
        await asyncio.wait_for(queue.wait_for_work(0.5), 0.4)
    except TimeoutError:
        return False
    finally:
        await complete(queue, *await claim(queue))
    return True


async def test_waiting_ends_when_a_delayed_prompt_is_due(queue: Queue) -> None:
    await enqueue(queue, "a")
    await queue.retry([Retry(taken, 0.3) for taken in await claim(queue)])

    async def taken() -> bool:
        if await claim(queue):
            return True
        await queue.wait_for_work(LONG)
        return False

    await eventually(taken, within=5)


async def test_depth(queue: Queue) -> None:
    await enqueue(queue, "a", "b", "c", "d")
    a, b = await claim(queue, 2)
    await queue.retry([Retry(a, LONG)])
    depth = await queue.depth()
    assert (depth.ready, depth.delayed, depth.running) == (2, 1, 1)
    assert depth.oldest >= 0
    await queue.complete([Completion(b, "done")])
    assert (await queue.depth()).running == 0


async def test_a_result_that_postgres_cannot_keep_is_kept_all_the_same(queue: Queue) -> None:
    job = await enqueue(queue, "a", "b")
    a, b = await claim(queue)
    await queue.complete([Completion(a, "x\x00y")])
    await queue.fail([Failure(b, "CODE", "half a pair: \ud800")])
    done = await view(queue, job)
    assert done.results[0] == "x\ufffdy"
    assert done.errors[0].message == "half a pair: ?"
