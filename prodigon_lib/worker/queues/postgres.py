"""The queue on Postgres: outlives every worker, shared by all of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.ids import JobId, UserId, new_job_id
from prodigon_lib.core.schemas.jobs import JobStatus, JobView
from prodigon_lib.persistence.cursors import decode_cursor, encode_cursor
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.transport.jobs import JobPage
from prodigon_lib.worker.queues import statements as sql
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
from prodigon_lib.worker.queues.connections import Connections
from prodigon_lib.worker.queues.lost_claims import LostClaims, bare_claim
from prodigon_lib.worker.queues.rows import enqueue_arguments, keys, new_view, stored_view
from prodigon_lib.worker.queues.watches import Marks, Watches

PENDING, COMPLETED, FAILED = "pending", "completed", "failed"
REAP_AT_ONCE = 1000
FIRST_PAGE = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
SOONEST = 0.001


class PostgresQueue:
    """See `Queue`. Each verb is one statement, but for cancel and retry_failed, which lock the job first."""

    def __init__(self, url: DatabaseUrl, *, pool_size: int = 10) -> None:
        self._work = asyncio.Event()
        self._cancelled: list[Callable[[JobId], None]] = []
        self._connections = Connections(
            url,
            size=pool_size,
            channels={sql.WORK_CHANNEL: lambda _: self.wake(), sql.CANCELLED_CHANNEL: self._tell_cancelled},
            missed=self.wake,
        )
        self._lost = LostClaims(self._claimed_under, self.release)
        self._watches = Watches(self._marks)

    async def open(self) -> None:
        await self._connections.open()

    async def close(self) -> None:
        await self._watches.close()
        await self._connections.close()

    async def check(self) -> None:
        await self._fetch("SELECT 1 FROM batch_jobs LIMIT 0")

    @property
    def connections(self) -> tuple[int, int]:
        return self._connections.usage

    async def enqueue(self, jobs: Sequence[NewJob]) -> list[JobView]:
        ids = [new_job_id() for _ in jobs]
        hashes = [views.submission_hash(new.submission) if new.idempotency_key else None for new in jobs]
        arguments = enqueue_arguments(jobs, ids, hashes)
        try:
            async with self._connections.lent() as connection:
                if len(jobs) == 1 or not any(hashes):
                    created = await self._insert(connection, jobs, ids, hashes, arguments)
                else:  # a key that conflicts takes the whole batch back
                    async with connection.transaction():
                        created = await self._insert(connection, jobs, ids, hashes, arguments)
        except asyncpg.ForeignKeyViolationError:
            raise views.unknown_user() from None
        return [
            new_view(id, when, new) if (when := created.get(id)) else await self.get(new.user, id)
            for id, new in zip(ids, jobs, strict=True)
        ]

    async def _insert(
        self,
        connection: asyncpg.Connection,
        jobs: Sequence[NewJob],
        ids: list[JobId],
        hashes: list[str | None],
        arguments: tuple[list[Any], ...],
    ) -> dict[JobId, datetime]:
        """When each new job was created; an id whose key was used before is replaced with the id of then."""
        created = {JobId(row[0]): row[1] for row in await connection.fetch(sql.ENQUEUE, *arguments)}
        for index, new in enumerate(jobs):
            if ids[index] not in created:
                known = await connection.fetchrow(sql.FIND_BY_KEY, new.user, new.idempotency_key)
                if known["request_hash"] != hashes[index]:
                    raise views.other_submission()
                ids[index] = JobId(known["id"])
        return created

    async def get(self, user: UserId, job: JobId) -> JobView:
        rows = await self._fetch(sql.GET, job, user)
        if not rows:
            raise views.missing(job)
        return stored_view(rows[0])

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        before = decode_cursor(cursor) if cursor is not None else FIRST_PAGE
        rows = await self._fetch(sql.PAGE, user, *before, status, limit + 1)
        jobs = [stored_view(row) for row in rows[:limit]]
        more = len(rows) > limit
        return JobPage(jobs, encode_cursor(jobs[-1].created_at, jobs[-1].job_id) if more else None)

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        async with self._connections.lent() as connection, connection.transaction():
            status, _ = await lock_job(connection, user, job)
            if status.finished and status is not JobStatus.CANCELLED:
                raise views.already_finished(job, status)
            if status is not JobStatus.CANCELLED:
                await connection.execute(sql.CANCEL, job)
        return await self.get(user, job)

    async def retry_failed(self, user: UserId, job: JobId) -> JobView:
        async with self._connections.lent() as connection, connection.transaction():
            status, failed = await lock_job(connection, user, job)
            if not failed or status is JobStatus.CANCELLED:
                raise views.nothing_to_retry(job, status)
            await connection.execute(sql.RETRY_FAILED, job)
        return await self.get(user, job)

    def watch(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        return self._watches.views(job, lambda: self.get(user, job))

    async def claim(self, worker: str, limit: int, lease: float) -> list[Claim]:
        self._work.clear()
        await self._lost.give_back()
        token = uuid4()
        try:
            rows = await self._fetch(sql.CLAIM, limit, token, worker, lease)
        except ProdigonError:
            self._lost.note(token)
            raise
        return [
            Claim(job, position, token, attempt, prompt, model, max_tokens, request_id, traceparent)
            for job, position, attempt, prompt, model, max_tokens, request_id, traceparent in rows
        ]

    async def wait_for_work(self, timeout: float) -> None:
        ((due,),) = await self._fetch(sql.NEXT_DUE)
        if due is not None:
            timeout = min(timeout, max(due, SOONEST))
        try:
            async with asyncio.timeout(timeout):
                await self._work.wait()
        except TimeoutError:
            pass

    def wake(self) -> None:
        self._work.set()

    async def extend(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        rows = await self._fetch(sql.EXTEND, *keys(claims), lease)
        return [claims[row[0]] for row in rows]

    async def complete(self, results: Sequence[Completion]) -> Settled:
        texts = [views.storable(done.result) for done in results]
        return await self._settle([done.claim for done in results], COMPLETED, results=texts)

    async def fail(self, failures: Sequence[Failure]) -> Settled:
        return await self._settle(
            [failure.claim for failure in failures],
            FAILED,
            codes=[failure.code for failure in failures],
            messages=[views.storable(failure.message) for failure in failures],
        )

    async def retry(self, retries: Sequence[Retry]) -> Settled:
        return await self._settle(
            [again.claim for again in retries], PENDING, delays=[again.delay for again in retries]
        )

    async def release(self, claims: Sequence[Claim]) -> Settled:
        return await self._settle(claims, PENDING, refunded_attempts=1)

    async def _settle(
        self,
        claims: Sequence[Claim],
        status: str,
        *,
        results: list[str] | None = None,
        codes: list[str] | None = None,
        messages: list[str] | None = None,
        delays: list[float] | None = None,
        refunded_attempts: int = 0,
        only_expired: bool = False,
    ) -> Settled:
        arrays = (*keys(claims), results, codes, messages, delays)
        rows = await self._fetch(sql.SETTLE, *arrays, status, refunded_attempts, only_expired)
        kept: list[Claim] = []
        finished = {}
        for job, job_status, numbers in rows:
            kept += [claims[number] for number in numbers]
            if job_status != JobStatus.RUNNING:
                finished[JobId(job)] = JobStatus(job_status)
        return Settled(frozenset(kept), finished)

    async def reap(self, max_attempts: int) -> Reaped:
        rows = await self._fetch(sql.EXPIRED, REAP_AT_ONCE)
        again = [bare_claim(*row) for row in rows if row[3] < max_attempts]
        spent = [bare_claim(*row) for row in rows if row[3] >= max_attempts]
        released, failed = Settled(), Settled()
        if again:
            released = await self._settle(again, PENDING, only_expired=True)
        if spent:
            codes, messages = [LOST_CODE] * len(spent), [LOST_MESSAGE] * len(spent)
            failed = await self._settle(spent, FAILED, codes=codes, messages=messages, only_expired=True)
        return Reaped(len(released.kept), len(failed.kept), failed.finished)

    async def prune(self, age: float, limit: int) -> int:
        ((gone,),) = await self._fetch(sql.PRUNE, age, limit)
        return int(gone)

    async def depth(self) -> Depth:
        (row,) = await self._fetch(sql.DEPTH)
        return Depth(row["ready"], row["delayed"], row["running"], max(0.0, row["oldest"] or 0.0))

    def on_cancelled(self, callback: Callable[[JobId], None]) -> None:
        self._cancelled.append(callback)

    def _tell_cancelled(self, payload: str) -> None:
        for callback in self._cancelled:
            callback(JobId(UUID(payload)))

    async def _claimed_under(self, leases: Sequence[UUID]) -> list[Claim]:
        return [bare_claim(*row) for row in await self._fetch(sql.CLAIMED_UNDER, leases)]

    async def _marks(self, jobs: Collection[JobId]) -> Marks:
        return {row[0]: tuple(row) for row in await self._fetch(sql.PROGRESS, list(jobs))}

    async def _fetch(self, statement: str, *arguments: Any) -> list[Any]:
        async with self._connections.lent() as connection:
            rows: list[Any] = await connection.fetch(statement, *arguments)
            return rows


async def lock_job(connection: asyncpg.Connection, user: UserId, job: JobId) -> tuple[JobStatus, int]:
    """The job's status and number of failed prompts, which stay so until the transaction ends."""
    row = await connection.fetchrow(sql.LOCK_JOB, job, user)
    if row is None:
        raise views.missing(job)
    return JobStatus(row["status"]), row["failed_prompts"]
