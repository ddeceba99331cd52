"""Batch jobs: the worker service's, on behalf of the caller."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from prodigon_lib.core import sse
from prodigon_lib.core.http.documentation import event_stream
from prodigon_lib.core.http.streams import EventStream
from prodigon_lib.core.ids import JobId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.gateway.dependencies import (
    DEFAULT_PAGE,
    NEXT_CURSOR,
    NEXT_CURSOR_HEADER,
    Bound,
    Cursor,
    Jobs,
    PageLimit,
    User,
)
from prodigon_lib.gateway.metering import submit_metered

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

EVENTS_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`event: job` with the job, now and at each change until it has finished, "
        "then `data: [DONE]`",
        "content": event_stream("job", "message", "error"),
    }
}

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        description="The same key with the same body gives the same job; with another body, 409",
    ),
]


@router.post("", status_code=202)
async def submit_job(
    submission: JobSubmission, bound: Bound, user: User, idempotency_key: IdempotencyKey = None
) -> JobView:
    """Enqueue 1 to 100 prompts; they run one by one, on whatever workers there are."""
    if bound.quotas is not None:
        return await submit_metered(bound.jobs, bound.quotas, user, submission, idempotency_key)
    return await bound.jobs.submit(user, submission, idempotency_key)


@router.get("", responses={200: {"headers": NEXT_CURSOR}})
async def list_jobs(
    response: Response,
    jobs: Jobs,
    user: User,
    status: Annotated[JobStatus | None, Query(description="Only jobs in this state")] = None,
    limit: PageLimit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> list[JobView]:
    """Jobs, newest first."""
    page = await jobs.page(user, status=status, limit=limit, cursor=cursor)
    if page.next_cursor is not None:
        response.headers[NEXT_CURSOR_HEADER] = page.next_cursor
    return page.jobs


@router.get("/{job_id}")
async def get_job(job_id: UUID, jobs: Jobs, user: User) -> JobView:
    """One job, with the results that are there."""
    return await jobs.get(user, JobId(job_id))


@router.post("/{job_id}/cancel")
async def cancel_job(job_id: UUID, jobs: Jobs, user: User) -> JobView:
    """Cancel what has not been done; 409 when the job has finished."""
    return await jobs.cancel(user, JobId(job_id))


@router.post("/{job_id}/retry", status_code=202)
async def retry_job(job_id: UUID, jobs: Jobs, user: User) -> JobView:
    """Run again what failed; 409 when nothing did."""
    return await jobs.retry(user, JobId(job_id))


@router.get("/{job_id}/events", status_code=200, response_class=Response, responses=EVENTS_ANSWER)
async def follow_job(job_id: UUID, jobs: Jobs, user: User) -> EventStream:
    """The job's progress."""
    return EventStream(job_events(jobs.events(user, JobId(job_id))))


async def job_events(views: AsyncGenerator[JobView]) -> AsyncGenerator[bytes]:
    async with aclosing(views):
        async for view in views:
            yield sse.event_bytes("job", view.model_dump(mode="json"))
    yield sse.DONE
