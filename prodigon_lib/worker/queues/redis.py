"""The queue on Redis Streams: shared by all workers, as durable as Redis' append-only file is."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prodigon_lib.core.errors import ProdigonError
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
from prodigon_lib.worker.queues.lost_claims import LostClaims, bare_claim
from prodigon_lib.worker.queues.redis_connections import RedisConnections
from prodigon_lib.worker.queues.scripts import jobs as for_users
from prodigon_lib.worker.queues.scripts import prompts as for_workers
from prodigon_lib.worker.queues.scripts.common import COMMON
from prodigon_lib.worker.queues.watches import Marks, Watches

REAP_AT_ONCE = 1000
FORGET_WORKERS_SECONDS = 600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SOONEST = 0.001

Fields = Mapping[bytes, bytes]


class RedisQueue:
    """See `Queue`. Each verb is one script, and so happens whole or not at all.

    The users are not in Redis, and a worker on it need not reach Postgres: a job is taken in for anybody.

    Args:
        prefix: begins the name of each key and channel.
    """

    def __init__(self, url: str, *, prefix: str = "prodigon", pool_size: int = 10) -> None:
        self._prefix = prefix
        self._work = asyncio.Event()
        self._cancelled: list[Callable[[JobId], None]] = []
        self._connections = RedisConnections(
            url,
            size=pool_size,
            channels={f"{prefix}:work": lambda _: self.wake(), f"{prefix}:cancelled": self._tell_cancelled},
            missed=self.wake,
        )
        self._scripts = {body: self._connections.client.register_script(COMMON + body) for body in SCRIPTS}
        self._lost = LostClaims(self._claimed_under, self.release)
        self._watches = Watches(self._marks)

    async def open(self) -> None:
        await self._connections.open()

    async def close(self) -> None:
        await self._watches.close()
        await self._connections.close()

    async def check(self) -> None:
        async with self._connections.calling() as redis:
            await redis.ping()

    @property
    def connections(self) -> tuple[int, int]:
        return self._connections.usage

    async def enqueue(self, jobs: Sequence[NewJob]) -> list[JobView]:
        ids = [new_job_id() for _ in jobs]
        arguments = [word for id, new in zip(ids, jobs, strict=True) for word in enqueue_arguments(id, new)]
        answers = await self._run(for_users.ENQUEUE, *arguments)
        if answers is None:
            raise views.other_submission()
        return [
            new_view(JobId(UUID(answer[0].decode())), answer[1], new)
            if len(answer) == 2
            else await self.get(new.user, JobId(UUID(answer[0].decode())))
            for answer, new in zip(answers, jobs, strict=True)
        ]

    async def get(self, user: UserId, job: JobId) -> JobView:
        async with self._connections.calling() as redis:
            fields = await redis.hgetall(self._job_key(job))
        if fields.get(b"user") != str(user).encode():
            raise views.missing(job)
        return stored_view(job, fields)

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        before = f"({(decode_cursor(cursor)[0] - EPOCH) // MICROSECOND}" if cursor is not None else "+inf"
        index = f"{self._prefix}:user:{user}:jobs" + (f":{status}" if status else "")
        async with self._connections.calling() as redis:
            found = await redis.zrevrangebyscore(index, before, "-inf", start=0, num=limit + 1)
            ids = [JobId(UUID(id.decode())) for id in found]
            async with redis.pipeline(transaction=False) as pipeline:
                for id in ids[:limit]:
                    pipeline.hgetall(self._job_key(id))
                stored = await pipeline.execute()
        # One that was deleted in between has no fields.
        jobs = [stored_view(id, fields) for id, fields in zip(ids, stored, strict=False) if fields]
        more = len(ids) > limit and jobs
        return JobPage(jobs, encode_cursor(jobs[-1].created_at, jobs[-1].job_id) if more else None)

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        status = await self._run(for_users.CANCEL, str(job), str(user))
        if status is None:
            raise views.missing(job)
        before = JobStatus(status.decode())
        if before.finished and before is not JobStatus.CANCELLED:
            raise views.already_finished(job, before)
        return await self.get(user, job)

    async def retry_failed(self, user: UserId, job: JobId) -> JobView:
        answer = await self._run(for_users.RETRY_FAILED, str(job), str(user))
        if answer is None:
            raise views.missing(job)
        status, again = answer
        if not again:
            raise views.nothing_to_retry(job, JobStatus(status.decode()))
        return await self.get(user, job)

    def watch(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        return self._watches.views(job, lambda: self.get(user, job))

    async def claim(self, worker: str, limit: int, lease: float) -> list[Claim]:
        self._work.clear()
        await self._lost.give_back()
        token = uuid4()
        try:
            rows = await self._run(for_workers.CLAIM, limit, str(token), worker, lease)
        except ProdigonError:
            self._lost.note(token)
            raise
        return [
            Claim(
                JobId(UUID(job.decode())),
                position,
                token,
                attempt,
                prompt.decode(),
                text(model),
                int(max_tokens),
                text(request_id),
                text(traceparent),
            )
            for job, position, attempt, prompt, model, max_tokens, request_id, traceparent in rows
        ]

    async def wait_for_work(self, timeout: float) -> None:
        due = await self._run(for_workers.NEXT_DUE)
        if due is not None:
            timeout = min(timeout, max(due / 1e6, SOONEST))
        try:
            async with asyncio.timeout(timeout):
                await self._work.wait()
        except TimeoutError:
            pass

    def wake(self) -> None:
        self._work.set()

    async def extend(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        words = [word for each in claims for word in (str(each.job), each.position, str(each.lease))]
        return [claims[index] for index in await self._run(for_workers.EXTEND, lease, *words)]

    async def complete(self, results: Sequence[Completion]) -> Settled:
        outcomes = [(done.claim, views.storable(done.result), "") for done in results]
        return await self._settle("complete", outcomes)

    async def fail(self, failures: Sequence[Failure]) -> Settled:
        outcomes = [(each.claim, each.code, views.storable(each.message)) for each in failures]
        return await self._settle("fail", outcomes)

    async def retry(self, retries: Sequence[Retry]) -> Settled:
        return await self._settle("retry", [(again.claim, str(again.delay), "") for again in retries])

    async def release(self, claims: Sequence[Claim]) -> Settled:
        return await self._settle("release", [(claim, "", "") for claim in claims])

    async def _settle(self, verb: str, outcomes: Sequence[tuple[Claim, str, str]]) -> Settled:
        words: list[Any] = [verb]
        for claim, first, second in outcomes:
            words += (str(claim.job), claim.position, str(claim.lease), first, second)
        kept, over = await self._run(for_workers.SETTLE, *words)
        return Settled(frozenset(outcomes[index][0] for index in kept), finished_jobs(over))

    async def reap(self, max_attempts: int) -> Reaped:
        arguments = max_attempts, REAP_AT_ONCE, LOST_CODE, LOST_MESSAGE
        released, failed, over = await self._run(for_workers.REAP, *arguments)
        await self._run(for_workers.FORGET_WORKERS, FORGET_WORKERS_SECONDS)
        return Reaped(released, failed, finished_jobs(over))

    async def prune(self, age: float, limit: int) -> int:
        return int(await self._run(for_users.PRUNE, age, limit))

    async def depth(self) -> Depth:
        ready, delayed, running, oldest = await self._run(for_workers.DEPTH)
        return Depth(ready, delayed, running, max(0.0, int(oldest) / 1e6))

    def on_cancelled(self, callback: Callable[[JobId], None]) -> None:
        self._cancelled.append(callback)

    def _tell_cancelled(self, payload: str) -> None:
        for callback in self._cancelled:
            callback(JobId(UUID(payload)))

    async def _claimed_under(self, leases: Sequence[UUID]) -> list[Claim]:
        rows = await self._run(for_workers.CLAIMED_UNDER, *(str(lease) for lease in leases))
        return [
            bare_claim(UUID(job.decode()), position, UUID(lease.decode()), attempt)
            for job, position, lease, attempt in rows
        ]

    async def _marks(self, jobs: Collection[JobId]) -> Marks:
        async with (
            self._connections.calling() as redis,
            redis.pipeline(transaction=False) as pipeline,
        ):
            for job in jobs:
                pipeline.hmget(self._job_key(job), "status", "remaining", "failed")
            marks = await pipeline.execute()
        return {job: tuple(mark) for job, mark in zip(jobs, marks, strict=True) if mark[0] is not None}

    def _job_key(self, job: JobId) -> str:
        return f"{self._prefix}:job:{job}"

    async def _run(self, script: str, *arguments: Any) -> Any:
        """What the script returned; Redis is asked by its digest, and given the text when it has none yet."""
        async with self._connections.calling():
            return await self._scripts[script](keys=[self._prefix], args=arguments)


SCRIPTS = (
    *(for_users.ENQUEUE, for_users.CANCEL, for_users.RETRY_FAILED, for_users.PRUNE),
    *(for_workers.CLAIM, for_workers.EXTEND, for_workers.SETTLE, for_workers.REAP),
    *(for_workers.CLAIMED_UNDER, for_workers.FORGET_WORKERS, for_workers.DEPTH, for_workers.NEXT_DUE),
)


def enqueue_arguments(id: JobId, new: NewJob) -> list[Any]:
    """One job's words in the order in which ENQUEUE reads them; empty is none."""
    job, key = new.submission, new.idempotency_key or ""
    hash = views.submission_hash(job) if key else ""
    given = [key, hash, len(job.prompts), job.max_tokens, job.model or ""]
    return [str(id), str(new.user), *given, new.request_id or "", new.traceparent or "", *job.prompts]


def new_view(id: JobId, created_at: bytes, new: NewJob) -> JobView:
    nothing = [None] * len(new.submission.prompts)
    return views.job_view(id, JobStatus.PENDING, created_at=moment(created_at), results=nothing)


def stored_view(id: JobId, fields: Fields) -> JobView:
    total = int(fields[b"total"])
    failed = [at for at in range(total) if f"c{at}".encode() in fields]
    return views.job_view(
        id,
        JobStatus(fields[b"status"].decode()),
        created_at=moment(fields[b"created"]),
        completed_at=moment(fields[b"completed"]) if b"completed" in fields else None,
        results=[text(fields.get(f"r{at}".encode())) for at in range(total)],
        errors=[
            PromptError(
                index=at, code=fields[f"c{at}".encode()].decode(), message=fields[f"m{at}".encode()].decode()
            )
            for at in failed
        ],
    )


def finished_jobs(over: Sequence[tuple[bytes, bytes]]) -> dict[JobId, JobStatus]:
    return {JobId(UUID(job.decode())): JobStatus(status.decode()) for job, status in over}


def text(value: bytes | None) -> str | None:
    return value.decode() if value is not None else None


def moment(microseconds: bytes) -> datetime:
    return EPOCH + timedelta(microseconds=int(microseconds))
