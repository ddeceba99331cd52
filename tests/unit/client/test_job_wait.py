"""Waiting for a job goes on while the service that knows it is away."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from prodigon_lib.client.jobs import AsyncJob, Job
from prodigon_lib.core.errors import JobNotFound, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.core.schemas.jobs import JobStatus, JobView

AWAY = UpstreamUnavailable("the worker service is away")


def view(status: JobStatus) -> JobView:
    return JobView(
        job_id=uuid4(), status=status, created_at=datetime.now(UTC), total_prompts=1, completed_prompts=0,
        results=[None], errors=[],
    )  # fmt: skip


class Script:
    """Answers each call with the next entry; the last one again and again."""

    def __init__(self, *answers: JobView | Exception) -> None:
        self.answers = list(answers)

    def call(self, _: Any) -> JobView:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class AsyncScript(Script):
    async def call(self, _: Any) -> JobView:
        return super().call(_)


async def wait_sync(*answers: JobView | Exception, timeout: float = 30.0) -> Job:
    return Job(Script(*answers), view(JobStatus.PENDING), "r-1").wait(timeout)


async def wait_async(*answers: JobView | Exception, timeout: float = 30.0) -> AsyncJob:
    return await AsyncJob(AsyncScript(*answers), view(JobStatus.PENDING), "r-1").wait(timeout)


@pytest.fixture(params=[wait_sync, wait_async], ids=["sync", "async"])
def wait(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return request.param


async def test_a_fault_that_passes_is_waited_out(wait) -> None:
    job = await wait(AWAY, view(JobStatus.RUNNING), AWAY, view(JobStatus.COMPLETED))
    assert (job.status, job.request_id) == (JobStatus.COMPLETED, "r-1")


async def test_one_that_stays_is_told_at_the_end(wait) -> None:
    with pytest.raises(UpstreamUnavailable):
        await wait(AWAY, timeout=0.05)


async def test_one_that_no_waiting_mends_is_told_at_once(wait) -> None:
    with pytest.raises(JobNotFound):
        await wait(JobNotFound("there is no such job"))


async def test_a_job_that_is_not_done_in_time_says_how_far_it_is(wait) -> None:
    with pytest.raises(UpstreamTimeout, match="0 of 1 done"):
        await wait(view(JobStatus.RUNNING), timeout=0.05)
