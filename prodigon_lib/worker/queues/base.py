"""What a queue does, whatever keeps it.

A job is enqueued with its prompts. A worker claims prompts under a lease, and ends each claim with one verb:
complete, fail, retry (later) or release (at once). All of it comes in batches, since a round trip costs more
than a row.

                    ┌──────── retry, release, lease expired ────────┐
                    ▼                                               │
    enqueue ──▶ pending ───────────── claim ──────────▶ running ────┼──▶ completed
                    │                                      │        │
                    └─────────── cancel ──▶ cancelled ◀────┘        └──▶ failed ── retry_failed ──▶ pending

A job is pending until its first claim, running until its last prompt ends, then completed, or failed when at
least one prompt failed. Times are in seconds.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from prodigon_lib.core.ids import JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.transport.jobs import JobPage


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is enqueued. `request_id` and `traceparent` are those of the request that asked for it."""

    user: UserId
    submission: JobSubmission
    idempotency_key: str | None = None
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(slots=True, eq=False)  # not frozen, which would make a large batch of them several times dearer
class Claim:
    """One prompt in the hands of one worker, until its lease ends. `attempt` counts from 1."""

    job: JobId
    position: int
    lease: UUID
    attempt: int
    prompt: str
    model: str | None
    max_tokens: int
    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Completion:
    """The prompt has its result."""

    claim: Claim
    result: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The prompt has failed for good."""

    claim: Claim
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The prompt is to be claimed again, `delay` seconds from now."""

    claim: Claim
    delay: float


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a batch. A claim that is not in `kept` had lost its lease: nothing was written."""

    kept: frozenset[Claim] = frozenset()
    finished: dict[JobId, JobStatus] = field(default_factory=dict)
    """Jobs whose last prompt this batch ended, and how."""


@dataclass(frozen=True, slots=True)
class Reaped:
    """Prompts whose lease had expired: how many may be claimed again, and how many had no attempt left."""

    released: int = 0
    failed: int = 0
    finished: dict[JobId, JobStatus] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Depth:
    """Prompts in the queue: `ready` to be claimed, `delayed` by a retry, `running`.

    `oldest` is how long the one that waits longest has been ready.
    """

    ready: int = 0
    delayed: int = 0
    running: int = 0
    oldest: float = 0.0


LOST_CODE = "WORKER_LOST"
LOST_MESSAGE = "each worker that ran it was lost before it had a result"


class Queue(Protocol):
    """Raises (all calls): UpstreamUnavailable, UpstreamTimeout: what keeps the queue is away or too slow."""

    async def open(self) -> None:
        """Does not wait for what keeps the queue: it may be away, and come."""
        ...

    async def close(self) -> None: ...

    async def check(self) -> None:
        """Returns when the queue can be used; for `/health/ready`."""
        ...

    @property
    def connections(self) -> tuple[int, int]:
        """Connections to what keeps the queue: open, and of these in use."""
        ...

    # For those who want work done. Each call is on behalf of a user, who meets only their own jobs.

    async def enqueue(self, jobs: Sequence[NewJob]) -> list[JobView]:
        """The jobs, in the order given; a key that the user has used before gives the job of then.

        Raises:
            Conflict: `IDEMPOTENCY_CONFLICT`, a key was used for another submission; nothing was enqueued.
            ValidationFailed: there is no such user, says a queue that stands beside the users. One that does
                not takes the job in: whoever calls has asked who the user is.
        """
        ...

    async def get(self, user: UserId, job: JobId) -> JobView:
        """Raises: JobNotFound."""
        ...

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        """Newest first. Raises: ValidationFailed: `cursor` is none that an earlier page gave."""
        ...

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        """What has not ended never will, and a result that still comes is dropped. Again: the same view.

        Raises:
            JobNotFound
            Conflict: `JOB_FINISHED`.
        """
        ...

    async def retry_failed(self, user: UserId, job: JobId) -> JobView:
        """Prompts that failed are pending again, with all their attempts.

        Raises:
            JobNotFound
            Conflict: `NOTHING_TO_RETRY`: none failed, or the job was cancelled.
        """
        ...

    def watch(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        """The job now, then after changes, until it has finished. Raises: JobNotFound."""
        ...

    # For workers.

    async def claim(self, worker: str, limit: int, lease: float) -> list[Claim]:
        """At most `limit` prompts, those that have been ready longest first, for `lease` seconds.

        No two calls ever get the same prompt, and no call waits for another.
        """
        ...

    async def wait_for_work(self, timeout: float) -> None:
        """Returns when there may be something to claim, or after `timeout` seconds.

        What came since the last `claim` began counts, so nothing is missed between the two.
        """
        ...

    def wake(self) -> None:
        """Make `wait_for_work` of this process return."""
        ...

    async def extend(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        """The heartbeat: those that still hold their lease, for `lease` seconds from now, are returned."""
        ...

    async def complete(self, results: Sequence[Completion]) -> Settled: ...

    async def fail(self, failures: Sequence[Failure]) -> Settled: ...

    async def retry(self, retries: Sequence[Retry]) -> Settled: ...

    async def release(self, claims: Sequence[Claim]) -> Settled:
        """Give prompts back unrun: to the front of the queue, and the attempt does not count."""
        ...

    async def reap(self, max_attempts: int) -> Reaped:
        """End leases that have expired: to the front of the queue, or failed after `max_attempts` claims.

        Until then a late result of the holder is still taken: nobody else has the prompt.
        """
        ...

    async def prune(self, age: float, limit: int) -> int:
        """Delete at most `limit` jobs that finished longer than `age` seconds ago; how many there were.

        A job that has not finished is never deleted, whatever its age.
        """
        ...

    async def depth(self) -> Depth: ...

    def on_cancelled(self, callback: Callable[[JobId], None]) -> None:
        """Call it when a job was cancelled, by any process. It may be missed: `extend` tells too, later."""
        ...
