"""A worker in this process, on a given queue and model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prodigon_lib.core.http.application import Service
from prodigon_lib.transport.model import ModelClient
from prodigon_lib.worker.collaborators import Collaborators, collaborators
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.settings import QueueType, WorkerSettings

QUICK: dict[str, Any] = {
    "queue_type": QueueType.MEMORY,  # the tests give the queue
    "retry_base_seconds": 0.01,
    "retry_cap_seconds": 0.05,
    "shutdown_seconds": 5.0,
}


@asynccontextmanager
async def working(queue: Queue, model: ModelClient, **changes: Any) -> AsyncIterator[Collaborators]:
    settings = WorkerSettings(**{**QUICK, **changes})
    parts = collaborators(Service("worker", settings), settings, model=model, queue=queue)
    async with parts.opened():
        yield parts
