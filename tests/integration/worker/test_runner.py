"""The loop that claims and runs, on both queues."""

import asyncio
import itertools

import orjson
import pytest

from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.errors import (
    RateLimited,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId, RequestId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.worker.queues.base import Queue
from tests.integration.worker.fake_model import FakeModel
from tests.integration.worker.jobs import claim, enqueue, view
from tests.integration.worker.working import working
from tests.polling import eventually


async def finished(queue: Queue, job: JobView, *, within: float = 10.0) -> JobView:
    async def ended() -> JobView | None:
        now = await view(queue, job)
        return now if now.status.finished else None

    found: JobView = await eventually(ended, within=within)
    return found


async def test_every_prompt_is_asked_once_and_answered_in_order(unopened: Queue) -> None:
    model = FakeModel()
    async with working(unopened, model) as worker:
        prompts = [f"p{n}" for n in range(100)]
        job = await enqueue(worker.queue, *prompts)
        done = await finished(worker.queue, job)
    assert done.status is JobStatus.COMPLETED
    assert done.results == [f"answer to {prompt}" for prompt in prompts]
    assert model.calls == dict.fromkeys(prompts, 1)


async def test_the_models_options_are_the_submissions(unopened: Queue) -> None:
    model = FakeModel()
    async with working(unopened, model) as worker:
        submission = JobSubmission(prompts=["a"], model="llama", max_tokens=5)
        job = await worker.jobs.submit(DEFAULT_USER_ID, submission, None)
        await finished(worker.queue, job)
    assert [(r.prompt, r.model, r.max_tokens) for r in model.requests] == [("a", "llama", 5)]


async def test_it_claims_no_more_than_it_has_room_for(unopened: Queue) -> None:
    model = FakeModel()
    model.gate.clear()
    async with working(unopened, model, worker_concurrency=3) as worker:
        await enqueue(worker.queue, *(f"p{n}" for n in range(10)))
        await eventually(lambda: model.in_flight == 3)
        assert (await worker.queue.depth()).running == 3
        assert len(await claim(worker.queue, 2)) == 2  # the others are there for other workers
        model.gate.set()
        await eventually(lambda: len(model.calls) == 8)
    assert model.most_in_flight == 3


@pytest.mark.parametrize(
    "fault",
    [
        UpstreamError("cut"),
        UpstreamTimeout("slow"),
        UpstreamUnavailable("away"),
        RateLimited("busy"),
        MemoryError(),
    ],
)
async def test_a_passing_fault_is_tried_again(unopened: Queue, fault: Exception) -> None:
    model = FakeModel(faults={"a": [fault, fault]})
    async with working(unopened, model) as worker:
        done = await finished(worker.queue, await enqueue(worker.queue, "a", "b"))
    assert (done.status, done.results) == (JobStatus.COMPLETED, ["answer to a", "answer to b"])
    assert model.calls["a"] == 3


async def test_after_the_last_try_the_prompt_fails_and_the_job_says_why(unopened: Queue) -> None:
    model = FakeModel(faults={"a": [UpstreamError(f"fault {n}") for n in range(3)]})
    async with working(unopened, model, max_attempts=3) as worker:
        done = await finished(worker.queue, await enqueue(worker.queue, "a", "b"))
    assert (done.status, done.results, model.calls["a"]) == (JobStatus.FAILED, [None, "answer to b"], 3)
    assert [(e.index, e.code, e.message) for e in done.errors] == [(0, "UPSTREAM_ERROR", "fault 2")]
    assert "index 0" in str(done.error)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(UpstreamRejected("bad key"), "UPSTREAM_REJECTED"), (ValueError("secret"), "INTERNAL_ERROR")],
)
async def test_what_no_retry_can_help_fails_at_once(unopened: Queue, fault: Exception, code: str) -> None:
    model = FakeModel(faults={"a": [fault]})
    async with working(unopened, model) as worker:
        done = await finished(worker.queue, await enqueue(worker.queue, "a"))
    assert (done.status, done.errors[0].code, model.calls["a"]) == (JobStatus.FAILED, code, 1)
    assert "secret" not in str(done)


async def test_retry_after_is_kept(unopened: Queue) -> None:
    model = FakeModel(faults={"a": [UpstreamError("busy", retry_after=60)]})
    async with working(unopened, model) as worker:
        await enqueue(worker.queue, "a")
        await eventually(lambda: has_delayed(worker.queue))
        assert await claim(worker.queue) == []
    assert model.calls["a"] == 1


async def has_delayed(queue: Queue) -> bool:
    return (await queue.depth()).delayed == 1


async def test_a_model_that_is_away_does_not_use_up_a_queues_attempts(unopened: Queue) -> None:
    model = FakeModel(away=UpstreamUnavailable("away"))
    async with working(
        unopened, model, worker_concurrency=4, max_attempts=3, retry_base_seconds=0.5
    ) as worker:
        job = await enqueue(worker.queue, *(f"p{n}" for n in range(50)))
        await eventually(lambda: model.calls.total() >= 5)  # four at once, then a probe
        assert model.calls.total() <= 6
        model.away = None
        done = await finished(worker.queue, job, within=20)
    assert done.status is JobStatus.COMPLETED
    assert set(model.calls.values()) <= {1, 2, 3}


async def test_a_cancelled_jobs_calls_end_at_once(unopened: Queue) -> None:
    model = FakeModel()
    model.gate.clear()
    async with working(unopened, model, worker_concurrency=4) as worker:
        job = await enqueue(worker.queue, "a", "b")
        other = await enqueue(worker.queue, "c")
        await eventually(lambda: model.in_flight == 3)
        await worker.jobs.cancel(DEFAULT_USER_ID, JobId(job.job_id))
        await eventually(lambda: model.cancelled == {"a": 1, "b": 1}, within=2)
        model.gate.set()
        assert (await finished(worker.queue, other)).status is JobStatus.COMPLETED
        cancelled = await view(worker.queue, job)
    assert (cancelled.status, cancelled.results) == (JobStatus.CANCELLED, [None, None])


async def test_heartbeats_keep_what_runs_longer_than_its_lease(unopened: Queue) -> None:
    model = FakeModel()
    model.gate.clear()
    async with working(unopened, model, lease_seconds=1.0) as worker:
        job = await enqueue(worker.queue, "a")
        await eventually(lambda: model.in_flight == 1)
        ticks = itertools.count()
        await eventually(lambda: next(ticks) > 20, every=0.1)  # two leases long
        model.gate.set()
        done = await finished(worker.queue, job)
    assert (done.status, model.calls["a"]) == (JobStatus.COMPLETED, 1)


async def test_the_prompts_of_a_worker_that_died_are_taken_back(unopened: Queue) -> None:
    model = FakeModel()
    await unopened.open()
    job = await enqueue(unopened, "a", "b")
    dead = await claim(unopened, worker="dead", lease=0.2)
    assert len(dead) == 2
    async with working(unopened, model, lease_seconds=1.0) as worker:
        done = await finished(worker.queue, job)
    assert (done.status, done.results) == (JobStatus.COMPLETED, ["answer to a", "answer to b"])


async def test_a_drain_lets_running_prompts_end_and_claims_no_more(unopened: Queue) -> None:
    model = FakeModel()
    model.gate.clear()
    async with working(unopened, model, worker_concurrency=2) as worker:
        job = await enqueue(worker.queue, "a", "b", "c")
        await eventually(lambda: model.in_flight == 2)
        worker.drain()
        asyncio.get_running_loop().call_later(0.2, model.gate.set)
        await worker.runner.stop()
        left = await view(worker.queue, job)
        depth = await worker.queue.depth()
    assert left.results == ["answer to a", "answer to b", None]
    assert (depth.ready, depth.running, model.calls["c"]) == (1, 0, 0)


async def test_a_drain_that_runs_out_of_time_gives_the_rest_back(unopened: Queue) -> None:
    model = FakeModel()
    model.gate.clear()
    async with working(unopened, model, shutdown_seconds=0.5) as worker:
        await enqueue(worker.queue, "a", "b")
        await eventually(lambda: model.in_flight == 2)
        await worker.runner.stop()
        assert model.cancelled.total() == 2
        again = await claim(worker.queue)
    assert [(each.prompt, each.attempt) for each in again] == [("a", 1), ("b", 1)]


async def test_a_prompt_runs_inside_the_request_that_enqueued_it(unopened: Queue, tmp_path) -> None:
    model, spans = FakeModel(), tmp_path / "spans"
    async with working(unopened, model, trace_file=str(spans)) as worker:
        token = current_request_id.set(RequestId("r-7"))
        with worker.runner.prompts.telemetry.span("request") as request:
            trace_id = f"{request.get_span_context().trace_id:032x}"
            span_id = f"{request.get_span_context().span_id:016x}"
            job = await worker.jobs.submit(DEFAULT_USER_ID, JobSubmission(prompts=["a", "b"]), None)
        current_request_id.reset(token)
        await finished(worker.queue, job)
        worker.runner.prompts.telemetry.shutdown()
    assert model.request_ids == ["r-7", "r-7"]
    runs = [
        span
        for line in spans.read_bytes().splitlines()
        if (span := orjson.loads(line))["name"] == "run prompt"
    ]
    assert {(run["trace_id"], run["parent_id"]) for run in runs} == {(trace_id, span_id)}
    assert sorted(run["attributes"]["position"] for run in runs) == [0, 1]
    assert (
        runs[0]["attributes"].items()
        >= {"job_id": str(job.job_id), "attempt": 1, "request_id": "r-7"}.items()
    )


async def test_a_result_that_cannot_be_written_does_not_take_others_along(
    unopened: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = unopened.complete

    async def refuse_poison(results):
        if any("poison" in done.result for done in results):
            raise ValueError("no such character")
        return await write(results)

    monkeypatch.setattr(unopened, "complete", refuse_poison)
    model = FakeModel()
    model.gate.clear()
    async with working(unopened, model) as worker:
        job = await enqueue(worker.queue, "a", "poison", "b")
        await eventually(lambda: model.in_flight == 3)
        model.gate.set()
        await eventually(lambda: two_done(worker.queue, job))
        results = (await view(worker.queue, job)).results
    assert results == ["answer to a", None, "answer to b"]


async def two_done(queue: Queue, job: JobView) -> bool:
    return (await view(queue, job)).completed_prompts == 2
