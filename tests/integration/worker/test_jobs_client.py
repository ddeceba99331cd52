"""`JobsClient`, over HTTP and in one process: the same answers, the same errors."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from prodigon_lib.core.errors import Conflict, JobNotFound, RateLimited, UpstreamRejected, ValidationFailed
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.http import ServiceClient
from prodigon_lib.transport.jobs import HttpJobsClient, JobsClient
from prodigon_lib.worker.app import create_app
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.settings import WorkerSettings
from tests.integration.serving import serving
from tests.integration.worker.fake_model import FakeModel
from tests.integration.worker.working import QUICK, working
from tests.polling import eventually

ME = DEFAULT_USER_ID
ROOM = 30


@dataclass
class Bound:
    jobs: JobsClient
    model: FakeModel


@pytest.fixture(params=["http", "in process"])
async def bound(request: pytest.FixtureRequest, unopened: Queue) -> AsyncIterator[Bound]:
    model = FakeModel()
    carry = over_http if request.param == "http" else in_process
    async with carry(unopened, model) as jobs:
        yield Bound(jobs, model)
        model.gate.set()


@asynccontextmanager
async def in_process(queue: Queue, model: FakeModel) -> AsyncIterator[JobsClient]:
    async with working(queue, model, max_queued_prompts=ROOM, worker_concurrency=2) as worker:
        yield worker.jobs


@asynccontextmanager
async def over_http(queue: Queue, model: FakeModel) -> AsyncIterator[JobsClient]:
    settings = WorkerSettings(**QUICK, max_queued_prompts=ROOM, worker_concurrency=2)
    app = create_app(settings, model=model, queue=queue)
    async with serving(app) as url:
        service = ServiceClient("worker", (url,), Telemetry("test", Settings()))
        await service.open()
        yield HttpJobsClient(service)
        await service.close()


def ask(*prompts: str) -> JobSubmission:
    return JobSubmission(prompts=list(prompts))


async def test_a_job_from_submission_to_result(bound: Bound) -> None:
    job = await bound.jobs.submit(ME, ask("a", "b"), None)
    assert (job.status, job.total_prompts, job.results) == (JobStatus.PENDING, 2, [None, None])
    async with aclosing(bound.jobs.events(ME, JobId(job.job_id))) as events:
        views = [view async for view in events]
    assert views[-1].results == ["answer to a", "answer to b"]
    assert views[-1].status is JobStatus.COMPLETED
    assert await bound.jobs.get(ME, JobId(job.job_id)) == views[-1]


async def test_events_show_each_change(bound: Bound) -> None:
    bound.model.gate.clear()
    job = await bound.jobs.submit(ME, ask("a"), None)
    async with aclosing(bound.jobs.events(ME, JobId(job.job_id))) as events:
        view = await anext(events)
        while view.status is JobStatus.PENDING:
            view = await anext(events)
        assert view.status is JobStatus.RUNNING
        bound.model.gate.set()
        assert (await anext(events)).status is JobStatus.COMPLETED


async def test_one_key_makes_one_job(bound: Bound) -> None:
    one = await bound.jobs.submit(ME, ask("a"), "key")
    two = await bound.jobs.submit(ME, ask("a"), "key")
    assert one.job_id == two.job_id
    with pytest.raises(Conflict) as caught:
        await bound.jobs.submit(ME, ask("b"), "key")
    assert caught.value.code == "IDEMPOTENCY_CONFLICT"


async def test_cancel_and_retry(bound: Bound) -> None:
    bound.model.gate.clear()
    bound.model.faults["bad"] = [UpstreamRejected("no")]
    job = JobId((await bound.jobs.submit(ME, ask("a"), None)).job_id)
    assert (await bound.jobs.cancel(ME, job)).status is JobStatus.CANCELLED
    with pytest.raises(Conflict) as caught:
        await bound.jobs.retry(ME, job)
    assert caught.value.code == "NOTHING_TO_RETRY"
    bound.model.gate.set()
    bad = JobId((await bound.jobs.submit(ME, ask("bad"), None)).job_id)
    await eventually(lambda: ended(bound.jobs, bad))
    with pytest.raises(Conflict) as caught:
        await bound.jobs.cancel(ME, bad)
    assert caught.value.code == "JOB_FINISHED"
    assert (await bound.jobs.retry(ME, bad)).status is not JobStatus.FAILED
    await eventually(lambda: ended(bound.jobs, bad))
    assert (await bound.jobs.get(ME, bad)).results == ["answer to bad"]


async def ended(jobs: JobsClient, job: JobId) -> bool:
    return (await jobs.get(ME, job)).status.finished


async def test_another_users_job_is_not_there(bound: Bound) -> None:
    job = JobId((await bound.jobs.submit(ME, ask("a"), None)).job_id)
    stranger = UserId(uuid4())
    for call in (bound.jobs.get, bound.jobs.cancel, bound.jobs.retry):
        with pytest.raises(JobNotFound):
            await call(stranger, job)
    async with aclosing(bound.jobs.events(stranger, job)) as events:
        with pytest.raises(JobNotFound):
            await anext(events)
    assert (await bound.jobs.page(stranger, status=None, limit=10, cursor=None)).jobs == []


async def test_pages(bound: Bound) -> None:
    jobs = [(await bound.jobs.submit(ME, ask(f"{n}"), None)).job_id for n in range(3)]
    first = await bound.jobs.page(ME, status=None, limit=2, cursor=None)
    rest = await bound.jobs.page(ME, status=None, limit=2, cursor=first.next_cursor)
    assert [job.job_id for job in (*first.jobs, *rest.jobs)] == jobs[::-1]
    assert rest.next_cursor is None
    with pytest.raises(ValidationFailed, match="cursor"):
        await bound.jobs.page(ME, status=None, limit=2, cursor="nonsense")
    cancelled = await bound.jobs.page(ME, status=JobStatus.CANCELLED, limit=2, cursor=None)
    assert cancelled.jobs == []


async def fill(jobs: JobsClient) -> None:
    for _ in range(ROOM):
        await jobs.submit(ME, ask("a", "b"), None)


async def test_a_full_queue_refuses_more(bound: Bound) -> None:
    bound.model.gate.clear()
    with pytest.raises(RateLimited) as caught:
        await fill(bound.jobs)
    assert caught.value.retry_after
    bound.model.gate.set()

    async def taken_again() -> bool:
        try:
            return bool(await bound.jobs.submit(ME, ask("c"), None))
        except RateLimited:
            return False

    await eventually(taken_again)
