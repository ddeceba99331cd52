"""A model and a job queue that do as a test tells them, behind the protocols that the gateway calls."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from prodigon_lib.core import sse
from prodigon_lib.core.errors import Conflict, JobNotFound, ProdigonError
from prodigon_lib.core.ids import JobId, UserId, new_job_id
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, ModelCard, Usage
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.transport.jobs import JobPage
from prodigon_lib.transport.model import encode

TOKENS = ["Micro", "services ", "split.", " “Ünïcode” \n"]
USAGE = Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7)
CARDS = [ModelCard(id="small", provider="fake"), ModelCard(id="maker/large", provider="fake")]


@dataclass
class FakeModel:
    """Answers with `TOKENS`. `fault` is raised instead, after `fault_after` pieces of a stream."""

    fault: ProdigonError | None = None
    fault_after: int = 0
    pieces: list[bytes] | None = None
    asked: list[GenerateRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    before_piece: Callable[[int], None] = lambda _: None

    async def forward(self, body: bytes) -> bytes:
        self._note(body)
        if self.fault is not None:
            raise self.fault
        answer = GenerateResponse(text="".join(TOKENS), model="small", usage=USAGE, latency_ms=1.5)
        return answer.model_dump_json().encode()

    async def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        self._note(body)
        pieces = self.pieces
        if pieces is None:
            pieces = [*map(sse.token_bytes, TOKENS), sse.usage_bytes(USAGE), sse.DONE]
        for index, piece in enumerate(pieces):
            self.before_piece(index)
            if self.fault is not None and index == self.fault_after:
                raise self.fault
            yield piece
        if self.fault is not None:
            raise self.fault

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        return GenerateResponse.model_validate_json(await self.forward(encode(request)))

    def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        return sse.read_tokens(self.forward_stream(encode(request)))

    async def models(self) -> list[ModelCard]:
        if self.fault is not None:
            raise self.fault
        return CARDS

    def _note(self, body: bytes) -> None:
        self.bodies.append(body)
        self.asked.append(GenerateRequest.model_validate_json(body))


@dataclass
class FakeJobs:
    """A queue whose jobs finish only when a test says so, with `finish`."""

    fault: ProdigonError | None = None
    jobs: dict[UUID, JobView] = field(default_factory=dict)
    keys: dict[str, tuple[bytes, UUID]] = field(default_factory=dict)
    finish_at_once: bool = False
    submitted: list[tuple[UserId, JobSubmission]] = field(default_factory=list)

    async def submit(self, user: UserId, submission: JobSubmission, idempotency_key: str | None) -> JobView:
        self._fail()
        self.submitted.append((user, submission))
        body = submission.model_dump_json().encode()
        if idempotency_key in self.keys:
            first, id = self.keys[idempotency_key]
            if first != body:
                raise Conflict("this Idempotency-Key was used with another body", code="IDEMPOTENCY_CONFLICT")
            return self.jobs[id]
        count = len(submission.prompts)
        job = JobView(
            job_id=new_job_id(),
            status=JobStatus.PENDING,
            created_at=datetime.now(UTC),
            total_prompts=count,
            completed_prompts=0,
            results=[None] * count,
            errors=[],
        )
        self.jobs[job.job_id] = job
        if idempotency_key is not None:
            self.keys[idempotency_key] = (body, job.job_id)
        return self.finish(job.job_id) if self.finish_at_once else job

    def finish(self, id: UUID, status: JobStatus = JobStatus.COMPLETED) -> JobView:
        job = self.jobs[id]
        done = status is JobStatus.COMPLETED
        self.jobs[id] = job.model_copy(
            update={
                "status": status,
                "completed_at": datetime.now(UTC),
                "results": [f"answer {n}" if done else None for n in range(job.total_prompts)],
                "completed_prompts": job.total_prompts if done else 0,
                "error": None if done else "it failed",
            }
        )
        return self.jobs[id]

    async def get(self, user: UserId, job: JobId) -> JobView:
        self._fail()
        if job not in self.jobs:
            raise JobNotFound(f"there is no job {job}")
        return self.jobs[job]

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        self._fail()
        newest = [job for job in reversed(self.jobs.values()) if status in (None, job.status)]
        start = int(cursor) if cursor and cursor.isdigit() and len(cursor) < 9 else 0
        after = start + limit
        return JobPage(newest[start:after], str(after) if after < len(newest) else None)

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        if (await self.get(user, job)).status.finished:
            raise Conflict("the job has finished", code="JOB_FINISHED")
        return self.finish(job, JobStatus.CANCELLED)

    async def retry(self, user: UserId, job: JobId) -> JobView:
        found = await self.get(user, job)
        if found.status is not JobStatus.FAILED:
            raise Conflict("no prompt of this job failed", code="NOTHING_TO_RETRY")
        self.jobs[job] = found.model_copy(update={"status": JobStatus.PENDING, "completed_at": None})
        return self.jobs[job]

    async def events(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        yield await self.get(user, job)
        if not self.jobs[job].status.finished:
            yield self.finish(job)

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault
