"""The worker's queue in Postgres and in Redis, behind the same protocol, on the same work."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.core.schemas.jobs import JobSubmission
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.worker.queues.base import Completion, NewJob, Queue
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.worker.queues.redis import RedisQueue
from prodigon_lib.workshop.table import Table

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

SINGLE_JOBS = 40
PROMPTS, JOBS = 100, 20
LEASE_SECONDS = 30


@dataclass(frozen=True)
class QueueRun:
    """Seconds: of one accepted job, and of a prompt that is claimed and completed among a hundred."""

    name: str
    accept: float
    prompt: float
    completed: int


async def both_queues(stack: "Stack") -> list[QueueRun]:
    """Jobs of one prompt, each accepted before the next is sent, then twenty of a hundred, worked off.

    Nobody computes anything, so the time is the queue's own. The keys in Redis are this run's alone; the jobs
    in Postgres are among the stack's, whose worker looks for its work in Redis.
    """
    assert stack.redis_url is not None, "the stack was started without Redis"
    prefix = f"lesson-{uuid4().hex[:8]}"
    queues: dict[str, Queue] = {
        "Postgres": PostgresQueue(parse_database_url(stack.database_url)),
        "Redis Streams": RedisQueue(stack.redis_url, prefix=prefix),
    }
    return [await measured(name, queue) for name, queue in queues.items()]


async def measured(name: str, queue: Queue) -> QueueRun:
    await queue.open()
    try:
        await queue.check()
        await work_off(queue, await accepted(queue, 2, 1))  # the first of everything is slow
        began = time.perf_counter()
        single = await accepted(queue, SINGLE_JOBS, 1)
        accept = (time.perf_counter() - began) / SINGLE_JOBS
        await work_off(queue, single)
        many = await accepted(queue, JOBS, PROMPTS)
        began = time.perf_counter()
        completed = await work_off(queue, many)
        return QueueRun(name, accept, (time.perf_counter() - began) / many, completed)
    finally:
        await queue.close()


async def accepted(queue: Queue, jobs: int, prompts: int) -> int:
    """How many prompts wait now."""
    submission = JobSubmission(prompts=["What is a queue?"] * prompts)
    for _ in range(jobs):
        await queue.enqueue([NewJob(DEFAULT_USER_ID, submission)])
    return jobs * prompts


async def work_off(queue: Queue, waiting: int) -> int:
    done = 0
    while done < waiting:
        claims = await queue.claim("lesson", PROMPTS, LEASE_SECONDS)
        done += len((await queue.complete([Completion(claim, "ok") for claim in claims])).kept)
    return done


def queues_table(runs: Sequence[QueueRun]) -> Table:
    rows = [(run.name, 1000 * run.accept, 1 / run.prompt, run.completed) for run in runs]
    return Table(["queue", "one job accepted, ms", "prompts a second", "completed"], rows)
