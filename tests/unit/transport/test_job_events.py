"""A job's events go on when the worker that told of them is gone."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from prodigon_lib.core import sse
from prodigon_lib.core.errors import JobNotFound, ProdigonError, UpstreamError, UpstreamUnavailable
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId
from prodigon_lib.core.schemas.jobs import JobStatus, JobView
from prodigon_lib.transport import jobs as transport

JOB = JobId(uuid4())


def view(done: int, status: JobStatus = JobStatus.RUNNING) -> JobView:
    results = ["x" if place < done else None for place in range(3)]
    return JobView(
        job_id=JOB, status=status, created_at=datetime.now(UTC).replace(microsecond=0), total_prompts=3,
        completed_prompts=done, results=results, errors=[],
    )  # fmt: skip


class Script:
    """Stands for the service: each subscription plays the next list of views and faults."""

    def __init__(self, *connections: list[JobView | ProdigonError]) -> None:
        self.connections = list(connections)

    async def stream(self, method: str, path: str, **_: Any) -> AsyncGenerator[bytes]:
        for item in self.connections.pop(0) if self.connections else [UpstreamUnavailable("away")]:
            if isinstance(item, ProdigonError):
                raise item
            yield sse.event_bytes("job", item.model_dump(mode="json"))
        yield sse.DONE


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(transport, "RECONNECT_EVERY", 0)

    async def run(*connections: list[JobView | ProdigonError], patience: float = 30.0) -> list[int]:
        client = transport.HttpJobsClient(Script(*connections), patience=patience)
        return [view.completed_prompts async for view in client.events(DEFAULT_USER_ID, JOB)]

    return run


async def test_a_broken_subscription_is_taken_up_again_without_repeats(follow) -> None:
    seen = await follow(
        [view(0), view(1), UpstreamError("the connection broke")],
        [UpstreamUnavailable("away")],
        [view(1), view(2)],  # ends without the job's end
        [view(3, JobStatus.COMPLETED)],
    )
    assert seen == [0, 1, 2, 3]


async def test_a_job_that_is_not_there_is_told_at_once(follow) -> None:
    with pytest.raises(JobNotFound):
        await follow([JobNotFound("no such job")])


async def test_a_service_that_was_never_there_is_told_at_once(follow) -> None:
    with pytest.raises(UpstreamUnavailable):
        await follow([UpstreamUnavailable("away")])


async def test_patience_ends(follow) -> None:
    with pytest.raises(UpstreamError):
        await follow([view(1)], patience=0.0)


async def test_a_job_that_vanishes_in_between_is_told(follow) -> None:
    with pytest.raises(JobNotFound):
        await follow([view(1), UpstreamError("broke")], [JobNotFound("deleted")])
