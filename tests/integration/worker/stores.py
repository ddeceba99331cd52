"""What keeps the queue that several workers share, for tests that are the same for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.worker.queues.redis import RedisQueue

State = tuple[str, int]
"""A prompt's status, and how often it was claimed."""


class Store(Protocol):
    """Also read here behind the queue's back: what the protocol does not tell."""

    @property
    def settings(self) -> Mapping[str, str]:
        """A worker's, with which it works on this store."""
        ...

    def queue(self) -> Queue:
        """One more way to it, not yet open."""
        ...

    async def states(self) -> dict[tuple[UUID, int], State]:
        """Of each prompt, by its job and position."""
        ...


@dataclass(frozen=True)
class PostgresStore:
    database: DatabaseUrl

    @property
    def settings(self) -> Mapping[str, str]:
        return {"DATABASE_URL": self.database.dsn}

    def queue(self) -> PostgresQueue:
        return PostgresQueue(self.database)

    async def states(self) -> dict[tuple[UUID, int], State]:
        connection = await asyncpg.connect(self.database.dsn)
        try:
            rows = await connection.fetch("SELECT job_id, position, status, attempts FROM job_prompts")
        finally:
            await connection.close()
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}


@dataclass(frozen=True)
class RedisStore:
    url: str

    @property
    def settings(self) -> Mapping[str, str]:
        return {"QUEUE_TYPE": "redis", "REDIS_URL": self.url}

    def queue(self) -> RedisQueue:
        return RedisQueue(self.url)

    async def states(self) -> dict[tuple[UUID, int], State]:
        found = {}
        async with Redis.from_url(self.url, decode_responses=True) as redis:
            async for key in redis.scan_iter("prodigon:job:????????-????-????-????-????????????"):
                fields = await redis.hgetall(key)
                job = UUID(key.rpartition(":")[2])
                for position in range(int(fields["total"])):
                    said = fields.get(f"s{position}", "pending 0 - -").split()
                    found[job, position] = (said[0], int(said[1]))
        return found
