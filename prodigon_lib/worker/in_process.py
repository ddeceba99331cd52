"""`JobsClient` on a queue in the same process: the HTTP face stands on it, and so does the monolith."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.ids import JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.core.telemetry import inject_trace
from prodigon_lib.transport.jobs import JobPage
from prodigon_lib.worker.backlog import Backlog
from prodigon_lib.worker.metrics import WorkerMetrics
from prodigon_lib.worker.queues.base import NewJob, Queue


@dataclass(slots=True)
class InProcessJobsClient:
    """See `JobsClient`.

    Raises (submit):
        RateLimited: the queue is full.
    """

    queue: Queue
    backlog: Backlog
    metrics: WorkerMetrics

    async def submit(self, user: UserId, submission: JobSubmission, idempotency_key: str | None) -> JobView:
        self.backlog.admit(len(submission.prompts))
        trace = inject_trace({}).get("traceparent")
        new = NewJob(user, submission, idempotency_key, current_request_id.get(), trace)
        (view,) = await self.queue.enqueue([new])
        self.metrics.enqueued.inc()
        return view

    async def get(self, user: UserId, job: JobId) -> JobView:
        return await self.queue.get(user, job)

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        return await self.queue.page(user, status=status, limit=limit, cursor=cursor)

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        before = await self.queue.get(user, job)
        view = await self.queue.cancel(user, job)
        if before.status is not JobStatus.CANCELLED:
            self.metrics.finished({job: view.status})
        return view

    async def retry(self, user: UserId, job: JobId) -> JobView:
        return await self.queue.retry_failed(user, job)

    def events(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        return self.queue.watch(user, job)
