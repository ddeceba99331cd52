"""Jobs and claims as the statements take them, and as Postgres gives them back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from prodigon_lib.core.ids import JobId
from prodigon_lib.core.schemas.jobs import JobStatus, JobView, PromptError
from prodigon_lib.worker.queues import views
from prodigon_lib.worker.queues.base import Claim, NewJob


def keys(claims: Sequence[Claim]) -> tuple[list[JobId], list[int], list[UUID]]:
    return (
        [claim.job for claim in claims],
        [claim.position for claim in claims],
        [claim.lease for claim in claims],
    )


def enqueue_arguments(
    jobs: Sequence[NewJob], ids: Sequence[JobId], hashes: Sequence[str | None]
) -> tuple[list[Any], ...]:
    prompts = [new.submission.prompts for new in jobs]
    return (
        list(ids),
        [new.user for new in jobs],
        [new.submission.model for new in jobs],
        [new.submission.max_tokens for new in jobs],
        [len(texts) for texts in prompts],
        [new.idempotency_key for new in jobs],
        list(hashes),
        [new.request_id for new in jobs],
        [new.traceparent for new in jobs],
        [id for id, texts in zip(ids, prompts, strict=True) for _ in texts],
        [position for texts in prompts for position in range(len(texts))],
        [text for texts in prompts for text in texts],
    )


def new_view(id: JobId, created_at: datetime, new: NewJob) -> JobView:
    nothing = [None] * len(new.submission.prompts)
    return views.job_view(id, JobStatus.PENDING, created_at=created_at, results=nothing)


def stored_view(row: Any) -> JobView:
    failures = zip(row["failed"] or (), row["codes"] or (), row["messages"] or (), strict=True)
    return views.job_view(
        JobId(row["id"]),
        JobStatus(row["status"]),
        created_at=row["created_at"],
        completed_at=row["completed_at"],
        results=row["results"],
        errors=[PromptError(index=index, code=code, message=text) for index, code, text in failures],
    )
