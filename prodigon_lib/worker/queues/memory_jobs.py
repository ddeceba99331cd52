"""A job and its prompts, as the queue in memory keeps them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from prodigon_lib.core.ids import JobId
from prodigon_lib.core.schemas.jobs import JobStatus, JobView, PromptError
from prodigon_lib.worker.queues import views
from prodigon_lib.worker.queues.base import NewJob


@dataclass(slots=True, eq=False)
class Prompt:
    text: str
    available_at: float
    status: JobStatus = JobStatus.PENDING
    attempts: int = 0
    lease: UUID | None = None
    lease_until: float = 0.0
    result: str | None = None
    error: PromptError | None = None


@dataclass(slots=True, eq=False)
class Job:
    id: JobId
    number: int
    new: NewJob
    hash: str
    prompts: list[Prompt]
    status: JobStatus = JobStatus.PENDING
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    completed_at: datetime | None = None

    def prompts_in(self, *states: JobStatus) -> list[Prompt]:
        return [prompt for prompt in self.prompts if prompt.status in states]

    def view(self) -> JobView:
        return views.job_view(
            self.id,
            self.status,
            created_at=self.created_at,
            completed_at=self.completed_at,
            results=[prompt.result for prompt in self.prompts],
            errors=[prompt.error for prompt in self.prompts if prompt.error is not None],
        )
