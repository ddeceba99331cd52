"""How a job looks to its user, whatever keeps it, and what is stored of a submission."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from prodigon_lib.core.errors import Conflict, JobNotFound, ValidationFailed
from prodigon_lib.core.ids import JobId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView, PromptError


def job_view(
    job: JobId,
    status: JobStatus,
    *,
    created_at: datetime,
    completed_at: datetime | None = None,
    results: Sequence[str | None],
    errors: Sequence[PromptError] = (),
) -> JobView:
    """Args: `results` has one entry a prompt, in their order."""
    return JobView(
        job_id=job,
        status=status,
        created_at=created_at,
        completed_at=completed_at,
        total_prompts=len(results),
        completed_prompts=sum(result is not None for result in results),
        results=list(results),
        errors=list(errors),
        error=summary(len(results), errors),
    )


def summary(total: int, errors: Sequence[PromptError]) -> str | None:
    """Which failed and why, in a sentence; `errors` has each of them."""
    if not errors:
        return None
    first = errors[0]
    which = f"{len(errors)} of {total} prompts failed; the first, at index {first.index}, "
    return f"{which}with {first.code}: {first.message}"


def submission_hash(submission: JobSubmission) -> str:
    """Tells two submissions under one idempotency key apart."""
    return hashlib.sha256(submission.model_dump_json().encode()).hexdigest()


def storable(text: str) -> str:
    """Without what Postgres can't keep and a model may still write: U+0000 and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def missing(job: JobId) -> JobNotFound:
    return JobNotFound(f"there is no job {job}")


def other_submission() -> Conflict:
    return Conflict(
        "this Idempotency-Key was used before, with another submission", code="IDEMPOTENCY_CONFLICT"
    )


def already_finished(job: JobId, status: JobStatus) -> Conflict:
    return Conflict(f"job {job} has finished already: it is {status}", code="JOB_FINISHED")


def nothing_to_retry(job: JobId, status: JobStatus) -> Conflict:
    why = "it was cancelled" if status is JobStatus.CANCELLED else "none of its prompts failed"
    return Conflict(f"there is nothing to run again of job {job}: {why}", code="NOTHING_TO_RETRY")


def unknown_user() -> ValidationFailed:
    return ValidationFailed("X-User-ID: there is no such user")
