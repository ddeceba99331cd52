"""The queue in the memory of one process, with which it dies: for tests, and for a try without a database."""

import asyncio
import heapq
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

from prodigon_lib.core.ids import JobId, UserId, new_job_id
from prodigon_lib.core.schemas.jobs import JobStatus, JobView, PromptError
from prodigon_lib.persistence.cursors import decode_cursor, encode_cursor
from prodigon_lib.transport.jobs import JobPage
from prodigon_lib.worker.queues import views
from prodigon_lib.worker.queues.base import (
    LOST_CODE,
    LOST_MESSAGE,
    Claim,
    Completion,
    Depth,
    Failure,
    NewJob,
    Reaped,
    Retry,
    Settled,
)
from prodigon_lib.worker.queues.memory_jobs import Job, Prompt
from prodigon_lib.worker.queues.watches import Marks, Watches


class MemoryQueue:
    """See `Queue`. No method waits in the middle of a change, so each one is atomic. It knows no users.

    Args:
        clock: in seconds; an experiment may have one of its own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: dict[JobId, Job] = {}
        self._numbers = count()
        self._by_key: dict[tuple[UserId, str], Job] = {}
        self._pending: list[tuple[float, int, int, JobId]] = []
        """A heap of what may be pending: since when, the job's number, the prompt's position, the job."""
        self._work = asyncio.Event()
        self._cancelled: list[Callable[[JobId], None]] = []
        self._watches = Watches(self._marks)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        await self._watches.close()

    async def check(self) -> None:
        pass

    @property
    def connections(self) -> tuple[int, int]:
        return 0, 0

    async def enqueue(self, jobs: Sequence[NewJob]) -> list[JobView]:
        hashes = [views.submission_hash(new.submission) for new in jobs]
        keys: dict[tuple[UserId, str], str] = {}
        for new, hash in zip(jobs, hashes, strict=True):
            if new.idempotency_key is not None:
                key = (new.user, new.idempotency_key)
                known = self._by_key[key].hash if key in self._by_key else keys.setdefault(key, hash)
                if known != hash:
                    raise views.other_submission()
        return [self._add(new, hash).view() for new, hash in zip(jobs, hashes, strict=True)]

    def _add(self, new: NewJob, hash: str) -> Job:
        key = (new.user, new.idempotency_key) if new.idempotency_key is not None else None
        if key is not None and key in self._by_key:
            return self._by_key[key]
        prompts = [Prompt(text, self._clock()) for text in new.submission.prompts]
        job = Job(new_job_id(), next(self._numbers), new, hash, prompts)
        self._jobs[job.id] = job
        if key is not None:
            self._by_key[key] = job
        self._offer(job, range(len(prompts)))
        return job

    async def get(self, user: UserId, job: JobId) -> JobView:
        return self._owned(user, job).view()

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        before = decode_cursor(cursor) if cursor is not None else None
        found = [
            job
            for job in self._jobs.values()
            if job.new.user == user
            and (status is None or job.status is status)
            and (before is None or (job.created_at, job.id) < before)
        ]
        found.sort(key=lambda job: (job.created_at, job.id), reverse=True)
        more = len(found) > limit
        last = found[limit - 1] if more else None
        return JobPage(
            [job.view() for job in found[:limit]], encode_cursor(last.created_at, last.id) if last else None
        )

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        found = self._owned(user, job)
        if found.status is JobStatus.CANCELLED:
            return found.view()
        if found.status.finished:
            raise views.already_finished(job, found.status)
        for prompt in found.prompts_in(JobStatus.PENDING, JobStatus.RUNNING):
            prompt.status, prompt.lease = JobStatus.CANCELLED, None
        found.status, found.completed_at = JobStatus.CANCELLED, datetime.now(UTC)
        for callback in self._cancelled:
            callback(job)
        return found.view()

    async def retry_failed(self, user: UserId, job: JobId) -> JobView:
        found = self._owned(user, job)
        failed = found.prompts_in(JobStatus.FAILED)
        if not failed or found.status is JobStatus.CANCELLED:
            raise views.nothing_to_retry(job, found.status)
        for prompt in failed:
            prompt.status, prompt.attempts, prompt.error = JobStatus.PENDING, 0, None
            prompt.available_at = self._clock()
        if found.status.finished:
            found.status, found.completed_at = JobStatus.PENDING, None
        self._offer(found, (at for at, prompt in enumerate(found.prompts) if prompt in failed))
        return found.view()

    def watch(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        return self._watches.views(job, lambda: self.get(user, job))

    async def claim(self, worker: str, limit: int, lease: float) -> list[Claim]:
        self._work.clear()
        token = uuid4()
        claims: list[Claim] = []
        while self._pending and len(claims) < limit and self._pending[0][0] <= self._clock():
            available_at, _, position, id = heapq.heappop(self._pending)
            job = self._jobs.get(id)
            if job is None:
                continue  # cancelled, and its time is over
            prompt = job.prompts[position]
            if prompt.status is not JobStatus.PENDING or prompt.available_at != available_at:
                continue  # cancelled, or moved
            prompt.status, prompt.attempts = JobStatus.RUNNING, prompt.attempts + 1
            prompt.lease, prompt.lease_until = token, self._clock() + lease
            job.status = JobStatus.RUNNING
            claims.append(
                Claim(
                    id,
                    position,
                    token,
                    prompt.attempts,
                    prompt.text,
                    job.new.submission.model,
                    job.new.submission.max_tokens,
                    job.new.request_id,
                    job.new.traceparent,
                )
            )
        return claims

    async def wait_for_work(self, timeout: float) -> None:
        if self._pending:
            timeout = min(timeout, max(0.001, self._pending[0][0] - self._clock()))
        try:
            async with asyncio.timeout(timeout):
                await self._work.wait()
        except TimeoutError:
            pass

    def wake(self) -> None:
        self._work.set()

    async def extend(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        held = [claim for claim in claims if self._held(claim)]
        for claim in held:
            self._prompt(claim).lease_until = self._clock() + lease
        return held

    async def complete(self, results: Sequence[Completion]) -> Settled:
        kept = []
        for done in results:
            if self._held(done.claim):
                prompt = self._prompt(done.claim)
                prompt.status, prompt.result = JobStatus.COMPLETED, views.storable(done.result)
                kept.append(done.claim)
        return self._settled(kept)

    async def fail(self, failures: Sequence[Failure]) -> Settled:
        kept = []
        for failure in failures:
            claim = failure.claim
            if self._held(claim):
                prompt, message = self._prompt(claim), views.storable(failure.message)
                prompt.status = JobStatus.FAILED
                prompt.error = PromptError(index=claim.position, code=failure.code, message=message)
                kept.append(claim)
        return self._settled(kept)

    async def retry(self, retries: Sequence[Retry]) -> Settled:
        kept = [again.claim for again in retries if self._held(again.claim)]
        for again in retries:
            if again.claim in kept:
                self._prompt(again.claim).available_at = self._clock() + again.delay
        return self._handed_back(kept)

    async def release(self, claims: Sequence[Claim]) -> Settled:
        kept = [claim for claim in claims if self._held(claim)]
        for claim in kept:
            self._prompt(claim).attempts -= 1
        return self._handed_back(kept)

    async def reap(self, max_attempts: int) -> Reaped:
        now = self._clock()
        expired = [
            Claim(job.id, at, prompt.lease, prompt.attempts, "", None, 0, None, None)
            for job in self._jobs.values()
            for at, prompt in enumerate(job.prompts)
            if prompt.status is JobStatus.RUNNING and prompt.lease is not None and prompt.lease_until < now
        ]
        self._handed_back([claim for claim in expired if claim.attempt < max_attempts])
        spent = [
            Failure(claim, LOST_CODE, LOST_MESSAGE) for claim in expired if claim.attempt >= max_attempts
        ]
        failed = await self.fail(spent)
        return Reaped(len(expired) - len(spent), len(spent), failed.finished)

    async def prune(self, age: float, limit: int) -> int:
        before = datetime.now(UTC) - timedelta(seconds=age)
        old = [
            job for job in self._jobs.values() if job.completed_at is not None and job.completed_at < before
        ][:limit]
        for job in old:
            del self._jobs[job.id]
            if job.new.idempotency_key is not None:
                del self._by_key[job.new.user, job.new.idempotency_key]
        return len(old)

    async def depth(self) -> Depth:
        now = self._clock()
        prompts = [prompt for job in self._jobs.values() for prompt in job.prompts]
        waiting = [prompt.available_at for prompt in prompts if prompt.status is JobStatus.PENDING]
        ready = [since for since in waiting if since <= now]
        running = sum(prompt.status is JobStatus.RUNNING for prompt in prompts)
        return Depth(len(ready), len(waiting) - len(ready), running, now - min(ready, default=now))

    def on_cancelled(self, callback: Callable[[JobId], None]) -> None:
        self._cancelled.append(callback)

    async def _marks(self, jobs: Collection[JobId]) -> Marks:
        found = [self._jobs[job] for job in jobs if job in self._jobs]
        return {job.id: (job.status, tuple(prompt.status for prompt in job.prompts)) for job in found}

    def _owned(self, user: UserId, job: JobId) -> Job:
        found = self._jobs.get(job)
        if found is None or found.new.user != user:
            raise views.missing(job)
        return found

    def _prompt(self, claim: Claim) -> Prompt:
        return self._jobs[claim.job].prompts[claim.position]

    def _held(self, claim: Claim) -> bool:
        return claim.job in self._jobs and self._prompt(claim).lease == claim.lease

    def _offer(self, job: Job, positions: Iterable[int]) -> None:
        for position in positions:
            entry = (job.prompts[position].available_at, job.number, position, job.id)
            heapq.heappush(self._pending, entry)
        self._work.set()

    def _handed_back(self, claims: Sequence[Claim]) -> Settled:
        for claim in claims:
            prompt = self._prompt(claim)
            prompt.status, prompt.lease = JobStatus.PENDING, None
            self._offer(self._jobs[claim.job], [claim.position])
        return Settled(frozenset(claims))

    def _settled(self, claims: Sequence[Claim]) -> Settled:
        finished: dict[JobId, JobStatus] = {}
        for claim in claims:
            job = self._jobs[claim.job]
            self._prompt(claim).lease = None
            if not job.prompts_in(JobStatus.PENDING, JobStatus.RUNNING):
                failed = job.prompts_in(JobStatus.FAILED)
                job.status = JobStatus.FAILED if failed else JobStatus.COMPLETED
                job.completed_at = datetime.now(UTC)
                finished[job.id] = job.status
        return Settled(frozenset(claims), finished)
