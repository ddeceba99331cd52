"""This project's queue under the benchmark."""

import asyncio
import os
from typing import Any

import asyncpg
from redis.asyncio import Redis

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, Usage
from prodigon_lib.core.schemas.jobs import JobSubmission
from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.transport.model import HttpModelClient
from prodigon_lib.worker.collaborators import collaborators
from prodigon_lib.worker.queues.base import Completion, NewJob, Queue
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.worker.queues.redis import RedisQueue
from prodigon_lib.worker.settings import WorkerSettings
from tests.benchmarks.queue_systems import DSN, PAYLOAD, Adapter, Hits

REDIS = os.environ.get("PRODIGON_BENCH_REDIS", "")
BATCH = 100
ANSWER = GenerateResponse(text="ok", model="none", usage=Usage(), latency_ms=0.0)

FINISHED_JOBS = """
INSERT INTO batch_jobs (id, user_id, status, max_tokens, total_prompts, remaining_prompts, completed_at)
SELECT gen_random_uuid(), $1, 'completed', 64, $3::int, 0, now() FROM generate_series(1, $2::int)
"""
FINISHED_PROMPTS = """
INSERT INTO job_prompts (job_id, position, prompt, status, attempts, result, finished_at)
SELECT id, n, $2, 'completed', 1, 'ok', now() FROM batch_jobs, generate_series(0, $1::int - 1) AS n
"""


def job(prompts: int, stamp: int = 0) -> NewJob:
    text = f"{stamp} {PAYLOAD['prompt']}"
    return NewJob(DEFAULT_USER_ID, JobSubmission(prompts=[text] * prompts))


class Ours(Adapter):
    """A hundred prompts a job. `b100` claims and completes a hundred at a time; `loop` is the worker's own
    loop on a model that answers at once, a hundred in flight: a task, a span and metrics for each prompt.
    """

    variants = ("b100", "loop")
    per_job = 100

    async def reset(self) -> None:
        connection = await asyncpg.connect(DSN)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()
        await asyncio.to_thread(upgrade, parse_database_url(DSN))

    async def open(self) -> None:
        self.queue = self.new_queue()
        await self.queue.open()

    def new_queue(self) -> Queue:
        return PostgresQueue(parse_database_url(DSN), pool_size=16)

    async def close(self) -> None:
        await self.queue.close()

    async def enqueue(self, stamp: int) -> None:
        await self.queue.enqueue([job(1, stamp)])

    async def bulk(self, n: int) -> None:
        await self.queue.enqueue([job(self.per_job) for _ in range(n // self.per_job)])

    async def fill(self, n: int) -> None:
        for _ in range(n // 10_000):
            await self.bulk(10_000)

    async def work(self, rec: Hits, variant: str, wait: bool, ready: Any) -> None:
        await self.open()
        await self.queue.check()
        if variant == "loop":
            await self.loop(rec, ready)
        await ready()
        while True:
            claims = await self.queue.claim("bench", BATCH, 30)
            for claim in claims:
                rec.hit(int(claim.prompt.partition(" ")[0]))
            if claims:
                await self.queue.complete([Completion(claim, "ok") for claim in claims])
            elif wait:
                await self.queue.wait_for_work(5)
            else:
                return

    async def loop(self, rec: Hits, ready: Any) -> None:
        class NoModel(HttpModelClient):
            async def generate(self, request: GenerateRequest) -> GenerateResponse:
                rec.hit(int(str(request.prompt).partition(" ")[0]))
                return ANSWER

        service = Service("worker", settings := WorkerSettings(database_url=DSN, worker_concurrency=BATCH))
        parts = collaborators(service, settings, model=NoModel(None), queue=self.queue)
        await ready()
        async with parts.opened():
            await asyncio.Event().wait()  # the benchmark ends it


class OursInRedis(Ours):
    """The same protocol on Redis Streams."""

    async def reset(self) -> None:
        async with Redis.from_url(REDIS) as redis:
            await redis.flushall()

    def new_queue(self) -> Queue:
        return RedisQueue(REDIS, pool_size=16)


class OursAmongFinished(Ours):
    """The same queue after a million prompts: their rows stand in the table that claims look into."""

    finished = 1_000_000

    async def fill(self, n: int) -> None:
        connection = await asyncpg.connect(DSN)
        # No foreign key is checked row by row: they are right, and it takes a third of the time.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(FINISHED_JOBS, DEFAULT_USER_ID, self.finished // self.per_job, self.per_job)
        await connection.execute(FINISHED_PROMPTS, self.per_job, PAYLOAD["prompt"])
        await connection.close()
        await super().fill(n)


class OursSingle(Ours):
    """One prompt a job: as many job rows as prompts."""

    per_job = 1
