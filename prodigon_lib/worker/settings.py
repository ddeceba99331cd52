"""The worker's settings."""

import os
import socket
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from prodigon_lib.core.settings import CallerSettings, ModelUrlList, Seconds


class QueueType(StrEnum):
    POSTGRES = "postgres"
    REDIS = "redis"
    MEMORY = "memory"


def this_process() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class WorkerSettings(CallerSettings):
    """Beside what every service has. Times are in seconds."""

    AMONG_SERVICES: ClassVar[bool] = True

    model_service_url: ModelUrlList = "http://127.0.0.1:8001"
    queue_type: QueueType = QueueType.POSTGRES
    worker_name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        default_factory=this_process
    )
    """Stands beside each prompt that it claimed."""
    worker_concurrency: Annotated[int, Field(ge=1, le=1000)] = 16
    """Prompts that it runs at once; it never claims more than it has room for."""
    lease_seconds: Seconds = 30.0
    """How long a claim holds without a heartbeat: how long the prompts of a worker that died wait."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 6
    """Claims of one prompt, the first included, before it fails."""
    retry_base_seconds: Seconds = 1.0
    """The wait after the first attempt; it doubles with each one."""
    retry_cap_seconds: Seconds = 30.0
    """The longest wait, but for a longer `Retry-After`."""
    poll_seconds: Seconds = 2.0
    """How often to look for work that no notification announced."""
    retention_days: Annotated[float, Field(gt=0)] | None = None
    """Jobs that finished longer ago are deleted; without it they are kept for ever."""
    max_queued_prompts: Annotated[int, Field(ge=1)] = 100_000
    """Beyond so many that wait, new jobs are answered with 429."""
    memory_limit_mb: Annotated[int, Field(ge=1)] | None = None
    """Resident megabytes at which it drains and ends, to be started afresh; without it nothing is watched."""
    connect_seconds: Seconds = 2.0
    """Until the model service has taken the connection; then the next of its addresses is tried."""
    connection_idle_seconds: Seconds = 4.0
    """How long a connection to a service is kept that no call uses; less than who takes it keeps its own."""
    generate_seconds: Seconds = 120.0
    """Until a whole completion is there."""

    @model_validator(mode="after")
    def postgres_needs_a_database(self) -> Self:
        if self.queue_type is QueueType.POSTGRES and self.database_url is None:
            raise ValueError("DATABASE_URL must be set when QUEUE_TYPE=postgres")
        return self

    @model_validator(mode="after")
    def redis_needs_an_address(self) -> Self:
        if self.queue_type is QueueType.REDIS and self.redis_url is None:
            raise ValueError("REDIS_URL must be set when QUEUE_TYPE=redis")
        return self
