"""The parts of a worker, put together: for its own process, and for one that it shares."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import assert_never

from prodigon_lib.core.http.application import Check, Service
from prodigon_lib.core.settings import split_urls
from prodigon_lib.persistence.url import parse_database_url, rotating_url
from prodigon_lib.security.service_identity import identity
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.carriers import Connection, model_carrier
from prodigon_lib.transport.http import Timeouts
from prodigon_lib.transport.metrics import UpstreamMetrics
from prodigon_lib.transport.model import ModelClient
from prodigon_lib.worker.backlog import Backlog
from prodigon_lib.worker.backoff import Backoff
from prodigon_lib.worker.ceiling import Ceiling
from prodigon_lib.worker.concurrency import Concurrency
from prodigon_lib.worker.in_process import InProcessJobsClient
from prodigon_lib.worker.metrics import WorkerMetrics
from prodigon_lib.worker.pause import Pause
from prodigon_lib.worker.prompts import PromptRunner
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.queues.memory import MemoryQueue
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.worker.runner import Runner
from prodigon_lib.worker.settings import QueueType, WorkerSettings

LONGEST_PAUSE_SECONDS = 5.0


@dataclass(slots=True)
class Collaborators:
    """One of each, for the life of the process. `opened` runs them."""

    jobs: InProcessJobsClient
    queue: Queue
    runner: Runner
    backlog: Backlog
    ceiling: Ceiling | None = None
    checks: dict[str, Check] = field(default_factory=dict)
    services: list[Connection] = field(default_factory=list)
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Claims and runs while the block runs, then drains."""
        for service in self.services:
            await service.open()
        await self.queue.open()
        watching = [asyncio.create_task(self.backlog.run())]
        if self.ceiling is not None:
            watching.append(asyncio.create_task(self.ceiling.run()))
        self.runner.start()
        try:
            yield
        finally:
            self.drain()
            await self.runner.stop()
            for watch in watching:
                watch.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await self.queue.close()
            for service in self.services:
                await service.close()

    def drain(self) -> None:
        """Claim nothing more, and end the event streams; what runs goes on."""
        self.draining.set()
        self.runner.drain()


def collaborators(
    service: Service,
    settings: WorkerSettings,
    *,
    model: ModelClient | None = None,
    queue: Queue | None = None,
) -> Collaborators:
    """Those that are given, whose life and health are the giver's; the others from the settings.

    Raises:
        SettingsError: `DATABASE_URL` is no address of a Postgres, or `MEMORY_LIMIT_MB` too little to begin.
    """
    checks: dict[str, Check] = {}
    services: list[Connection] = []
    if queue is None:
        queue = queue_for(service, settings)
        checks["redis" if settings.queue_type is QueueType.REDIS else "database"] = queue.check
    if model is None:
        timeouts = Timeouts(
            connect=settings.connect_seconds,
            idle=settings.connection_idle_seconds,
            first_byte=settings.generate_seconds,
            between=settings.generate_seconds,
            whole=settings.generate_seconds,
        )
        urls = split_urls(settings.model_service_url)
        model, connection = model_carrier(
            urls,
            service.telemetry,
            timeouts,
            resilience=Resilience(settings.breaker_failures, settings.breaker_seconds),  # the queue retries
            metrics=UpstreamMetrics(service.metrics),
            identity=identity(settings.service_keys, service.name, "model"),
        )
        services.append(connection)
        checks["model"] = connection.check
    metrics = WorkerMetrics(service.metrics)
    backoff = Backoff(settings.retry_base_seconds, settings.retry_cap_seconds)
    pause = Pause(Backoff(settings.retry_base_seconds, LONGEST_PAUSE_SECONDS))
    concurrency = Concurrency(settings.worker_concurrency)
    metrics.allowed.set(concurrency.allowed)
    prompts = PromptRunner(
        model, backoff, settings.max_attempts, pause, concurrency, service.telemetry, metrics
    )
    backlog = Backlog(queue, metrics, settings.max_queued_prompts)
    return Collaborators(
        jobs=InProcessJobsClient(queue, backlog, metrics),
        queue=queue,
        runner=Runner(queue, prompts, pause, settings, metrics),
        backlog=backlog,
        ceiling=Ceiling.of(settings.memory_limit_mb),
        checks=checks,
        services=services,
    )


def queue_for(service: Service, settings: WorkerSettings) -> Queue:
    match settings.queue_type:
        case QueueType.MEMORY:
            return MemoryQueue()
        case QueueType.POSTGRES:
            secret = service.secrets.rotating(settings, "database_url", parse_database_url)
            assert secret is not None  # the settings see to it
            return PostgresQueue(rotating_url(secret), pool_size=settings.database_pool_size)
        case QueueType.REDIS:
            assert settings.redis_url is not None  # as well
            from prodigon_lib.worker.queues.redis import (
                RedisQueue,
            )  # its driver takes memory and time to load

            redis_url = settings.redis_url.get_secret_value()
            return RedisQueue(redis_url, prefix=settings.redis_prefix, pool_size=settings.database_pool_size)
        case _:
            assert_never(settings.queue_type)
