"""A counter in Postgres, and several who count at the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from prodigon_lib.persistence.url import parse_database_url

FRESH = """
CREATE TABLE IF NOT EXISTS lesson_06_counter (id int PRIMARY KEY, value bigint NOT NULL);
TRUNCATE lesson_06_counter;
INSERT INTO lesson_06_counter VALUES (1, 0);
"""
READ = "SELECT value FROM lesson_06_counter WHERE id = 1"
WRITE = "UPDATE lesson_06_counter SET value = $1 WHERE id = 1"
AT_ONCE = "UPDATE lesson_06_counter SET value = value + 1 WHERE id = 1"


async def read_then_write(connection: Any) -> None:
    value = await connection.fetchval(READ)
    await connection.execute(WRITE, value + 1)


async def in_a_transaction(connection: Any) -> None:
    async with connection.transaction():
        await read_then_write(connection)


async def locked(connection: Any) -> None:
    async with connection.transaction():
        value = await connection.fetchval(f"{READ} FOR UPDATE")
        await connection.execute(WRITE, value + 1)


async def in_one_statement(connection: Any) -> None:
    await connection.execute(AT_ONCE)


@dataclass(frozen=True)
class Counted:
    """What the counter says after so many increments, and how long they took."""

    increments: int
    value: int
    seconds: float

    @property
    def lost(self) -> int:
        return self.increments - self.value


async def count(
    database_url: str, increment: Callable[[Any], Awaitable[None]], *, clients: int = 8, times: int = 50
) -> Counted:
    """`clients` connections, each of which adds one so many times, to a counter that begins at 0."""
    dsn = parse_database_url(database_url).dsn
    connections = await asyncio.gather(*(asyncpg.connect(dsn) for _ in range(clients)))
    try:
        await connections[0].execute(FRESH)

        async def client(connection: Any) -> None:
            for _ in range(times):
                await increment(connection)

        began = time.perf_counter()
        await asyncio.gather(*map(client, connections))
        seconds = time.perf_counter() - began
        value = await connections[0].fetchval(READ)
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))
    return Counted(clients * times, int(value), seconds)
