"""The worker's HTTP face: `JobsClient`, call by call."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel

from prodigon_lib.core import sse
from prodigon_lib.core.http.streams import EventStream
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.core.schemas.text import NO_NUL, text_schema
from prodigon_lib.transport.jobs import IDEMPOTENCY_HEADER, USER_HEADER
from prodigon_lib.worker.collaborators import Collaborators
from prodigon_lib.worker.events import job_events

MAX_PAGE = 100
DEFAULT_PAGE = 20
MAX_KEY = 200

router = APIRouter(prefix="/jobs", tags=["jobs"])


class JobList(BaseModel):
    """Newest first; `next_cursor` is null on the last page."""

    jobs: list[JobView]
    next_cursor: str | None


async def collaborators_of(request: Request) -> Collaborators:
    parts: Collaborators = request.app.state.collaborators
    return parts


async def calling_user(
    user: Annotated[UUID | None, Header(alias=USER_HEADER, description="On whose behalf")] = None,
) -> UserId:
    """Whoever may reach this service is trusted to say; only the gateway may."""
    return UserId(user) if user is not None else DEFAULT_USER_ID


Parts = Annotated[Collaborators, Depends(collaborators_of)]
User = Annotated[UserId, Depends(calling_user)]
Key = Annotated[
    Annotated[str, NO_NUL, text_schema(1, MAX_KEY)] | None,
    Header(alias=IDEMPOTENCY_HEADER, min_length=1, max_length=MAX_KEY, description="One key, one job"),
]

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`event: job` with the job, now and at each change until it ends; `data: [DONE]`",
        "content": {sse.CONTENT_TYPE: {"schema": {"type": "string"}}},
    }
}


@router.post("", status_code=202)
async def submit_job(submission: JobSubmission, parts: Parts, user: User, key: Key = None) -> JobView:
    """Enqueue 1 to 100 prompts."""
    return await parts.jobs.submit(user, submission, key)


@router.get("")
async def list_jobs(
    parts: Parts,
    user: User,
    status: JobStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> JobList:
    """Jobs, newest first."""
    page = await parts.jobs.page(user, status=status, limit=limit, cursor=cursor)
    return JobList(jobs=page.jobs, next_cursor=page.next_cursor)


@router.get("/{job_id}")
async def get_job(job_id: UUID, parts: Parts, user: User) -> JobView:
    """One job, with the results that are there."""
    return await parts.jobs.get(user, JobId(job_id))


@router.post("/{job_id}/cancel")
async def cancel_job(job_id: UUID, parts: Parts, user: User) -> JobView:
    """Cancel what has not ended; 409 when the job has."""
    return await parts.jobs.cancel(user, JobId(job_id))


@router.post("/{job_id}/retry", status_code=202)
async def retry_job(job_id: UUID, parts: Parts, user: User) -> JobView:
    """Run again what failed; 409 when nothing did."""
    return await parts.jobs.retry(user, JobId(job_id))


@router.get("/{job_id}/events", response_class=EventStream, responses=EVENTS)
async def follow_job(job_id: UUID, parts: Parts, user: User) -> EventStream:
    """The job's progress; ends with the job."""
    return EventStream(job_events(parts.jobs.events(user, JobId(job_id)), parts.draining))
