"""Short names for what nearly every test of the queue does."""

from typing import Any

from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId, UserId
from prodigon_lib.core.schemas.jobs import JobSubmission, JobView
from prodigon_lib.worker.queues.base import Claim, Completion, Failure, NewJob, Queue, Settled

LONG = 60.0
EXPIRED = 0.0
"""A lease that has run out by the time of the next statement."""


def new_job(*prompts: str, user: UserId = DEFAULT_USER_ID, **fields: Any) -> NewJob:
    return NewJob(user, JobSubmission(prompts=list(prompts)), **fields)


async def enqueue(queue: Queue, *prompts: str, **fields: Any) -> JobView:
    (view,) = await queue.enqueue([new_job(*prompts, **fields)])
    return view


async def claim(queue: Queue, limit: int = 100, *, worker: str = "w1", lease: float = LONG) -> list[Claim]:
    return await queue.claim(worker, limit, lease)


async def complete(queue: Queue, *claims: Claim) -> Settled:
    return await queue.complete([Completion(claim, f"answer to {claim.prompt}") for claim in claims])


async def fail(queue: Queue, *claims: Claim) -> Settled:
    return await queue.fail([Failure(claim, "UPSTREAM_ERROR", "no answer") for claim in claims])


async def view(queue: Queue, job: JobView) -> JobView:
    return await queue.get(DEFAULT_USER_ID, JobId(job.job_id))
