"""The same jobs on a queue in Postgres and on one in Redis: how fast, and what is left after a kill."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from structlog.testing import capture_logs

from prodigon_lib.core.errors import JobNotFound, ProdigonError
from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId
from prodigon_lib.core.schemas.jobs import JobSubmission
from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.worker.queues.base import Completion, NewJob, Queue
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.workshop.table import Table

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

JOBS, PROMPTS = 20, 100
CALLERS, CALLS = 16, 10
PICK_UPS = 20
AT_ONCE = 100
BACK_SECONDS = 30.0
KILL_AFTER = 40
"""Jobs that were accepted by then."""


@dataclass(frozen=True, slots=True)
class QueueRun:
    """One queue: jobs a second from sixteen callers, prompts a second of one worker that does nothing else,
    seconds until a worker that waits has a new prompt. Of `accepted` jobs `found` were there after the
    server was killed, which was back after `away` seconds.
    """

    queue: str
    enqueued: float
    drained: float
    picked_up: float
    accepted: int
    found: int
    away: float


async def two_queues(stack: "Stack", *, rounds: int = 2) -> list[QueueRun]:
    """Measure both in turn, then kill each one's server while jobs come in.

    Both keep what they acknowledge on the disk first. They get a database and a prefix of their own, gone
    afterwards, so that the stack's workers leave them alone; the supervisor brings back what was killed.

    Args:
        stack: one with a Redis.
    """
    async with in_postgres(stack) as postgres, in_redis(stack) as redis:
        queues = {"postgres": postgres, "redis": redis}
        figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in queues}
        for _ in range(rounds):
            for name, queue in queues.items():
                rates = await enqueue_rate(queue), await drain_rate(queue), await pick_up_seconds(queue)
                figures[name].append(rates)
        runs = []
        for name, queue in queues.items():
            enqueued, drained, picked_up = (median(values) for values in zip(*figures[name], strict=True))
            with capture_logs():  # a notebook would show what the queue logs of the outage
                accepted, found, away = await what_is_left(queue, partial(stack.kill, name))
            runs.append(QueueRun(name, enqueued, drained, picked_up, accepted, found, away))
        return runs


def queues_table(runs: Sequence[QueueRun]) -> Table:
    columns = [
        "queue",
        "jobs in, a second",
        "prompts done, a second",
        "pick-up, ms",
        "accepted",
        "left",
        "away, s",
    ]
    return Table(
        columns,
        [
            (run.queue, run.enqueued, run.drained, run.picked_up * 1e3, run.accepted, run.found, run.away)
            for run in runs
        ],
    )


@asynccontextmanager
async def in_postgres(stack: "Stack") -> AsyncIterator[Queue]:
    """A queue in a new database on the stack's server."""
    name = f"lesson_8_{uuid4().hex[:8]}"
    await run_sql(stack.database_url, f"CREATE DATABASE {name}")
    url = parse_database_url(urlunsplit(urlsplit(stack.database_url)._replace(path=f"/{name}")))
    await asyncio.to_thread(upgrade, url)
    queue = PostgresQueue(url)
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()
        await run_sql(stack.database_url, f"DROP DATABASE {name} WITH (FORCE)")


async def run_sql(url: str, statement: str) -> None:
    connection = await asyncpg.connect(parse_database_url(url).dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def in_redis(stack: "Stack") -> AsyncIterator[Queue]:
    """A queue under a new prefix, while each write is on the disk before it is acknowledged."""
    from prodigon_lib.persistence.redis import open_redis
    from prodigon_lib.worker.queues.redis import RedisQueue

    if stack.redis_url is None:
        raise ValueError("this stack has no Redis: start one with cache='redis' or QUEUE_TYPE=redis")
    prefix = f"lesson_8_{uuid4().hex[:8]}"
    client = open_redis(stack.redis_url)
    before: Any = await client.config_get("appendfsync")
    await client.config_set("appendfsync", "always")
    queue = RedisQueue(stack.redis_url, prefix=prefix)
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()
        async for key in client.scan_iter(f"{prefix}:*", count=1000):
            await client.delete(key)
        for name, value in before.items():
            await client.config_set(name, value)
        await client.aclose()


def new_job(prompts: int = 1, key: str | None = None) -> NewJob:
    text = "Summarise this paragraph in a sentence."
    return NewJob(DEFAULT_USER_ID, JobSubmission(prompts=[text] * prompts), idempotency_key=key)


async def enqueue_rate(queue: Queue) -> float:
    began = time.perf_counter()

    async def call() -> None:
        for _ in range(CALLS):
            await queue.enqueue([new_job()])

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return CALLERS * CALLS / (time.perf_counter() - began)


async def drain_rate(queue: Queue) -> float:
    await queue.enqueue([new_job(PROMPTS) for _ in range(JOBS)])
    began, done = time.perf_counter(), 0
    while claims := await queue.claim("lesson", AT_ONCE, 30):
        await queue.complete([Completion(claim, "done") for claim in claims])
        done += len(claims)
    return done / (time.perf_counter() - began)


async def pick_up_seconds(queue: Queue) -> float:
    """The median over several prompts, one at a time."""
    taken: asyncio.Queue[float] = asyncio.Queue()

    async def work() -> None:
        while True:
            if claims := await queue.claim("lesson", 1, 30):
                taken.put_nowait(time.perf_counter())
                await queue.complete([Completion(claims[0], "done")])
            else:
                await queue.wait_for_work(5)

    waits = []
    async with asyncio.TaskGroup() as group:
        working = group.create_task(work())
        for _ in range(PICK_UPS):
            began = time.perf_counter()
            await queue.enqueue([new_job()])
            waits.append(await taken.get() - began)
        working.cancel()
    return median(waits)


async def what_is_left(queue: Queue, kill: Callable[[], object]) -> tuple[int, int, float]:
    """Jobs that were accepted until the server was killed, those of them that are there once it is back, and
    for how many seconds it was away.

    Raises:
        ExceptionGroup: calls failed before the kill.
    """
    accepted: list[JobId] = []
    enough, killing, killed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def submit(lane: int) -> None:
        """Until a call fails, of which nobody knows whether it was accepted, or the server was killed: a
        lane that waits for a connection meanwhile may meet nothing of it.
        """
        for number in count():
            if killed.is_set():
                return
            try:
                (job,) = await queue.enqueue([new_job(key=f"{lane} {number}")])
            except ProdigonError:
                if killing.is_set():
                    return
                raise
            accepted.append(JobId(job.job_id))
            if len(accepted) >= KILL_AFTER:
                enough.set()

    async with asyncio.TaskGroup() as lanes:
        for lane in range(CALLERS):
            lanes.create_task(submit(lane))
        await enough.wait()
        killing.set()
        await asyncio.to_thread(kill)
        began = time.perf_counter()
        killed.set()
    await until_back(queue)
    away = time.perf_counter() - began
    return len(accepted), sum([await is_there(queue, job) for job in accepted]), away


async def until_back(queue: Queue) -> None:
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            try:
                await queue.depth()
            except ProdigonError:
                await asyncio.sleep(0.05)
            else:
                return


async def is_there(queue: Queue, job: JobId) -> bool:
    try:
        await queue.get(DEFAULT_USER_ID, job)
    except JobNotFound:
        return False
    return True
