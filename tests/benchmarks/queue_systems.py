"""A queue under test, and the ceiling: bare SQL through asyncpg.

Runs in the peers' environments too, so this module needs asyncpg and the standard library only.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Awaitable, Callable

import asyncpg

DSN = os.environ.get("PRODIGON_BENCH_DSN", "")
PAYLOAD = {"prompt": "Summarise this. " * 12}
POOL = 16
now = time.monotonic_ns


class Hits:
    """What a worker's no-op handler records: how many, when the last was, and latencies in microseconds."""

    def __init__(self) -> None:
        self.n = self.last = 0
        self.latencies: list[float] = []

    def hit(self, stamp: int | None = None) -> None:
        """Args: `stamp` is when the job was enqueued, in monotonic nanoseconds; 0 is not looked at."""
        self.last = now()
        self.n += 1
        if stamp:
            self.latencies.append((self.last - stamp) / 1e3)


class Adapter:
    """One queue. A job's handler does nothing but `hit`."""

    variants: tuple[str, ...] = ("",)

    async def reset(self) -> None:
        """Make the schema, in an empty database."""

    async def open(self) -> None:
        """Connect, to enqueue."""

    async def close(self) -> None: ...

    async def enqueue(self, stamp: int) -> None: ...

    async def bulk(self, n: int) -> None:
        """Enqueue `n` in one call."""

    async def fill(self, n: int) -> None:
        await self.bulk(n)

    async def work(self, rec: Hits, variant: str, wait: bool, ready: Callable[[], Awaitable[None]]) -> None:
        """Connect, `await ready()`, then run until nothing is left, or for ever with `wait`."""


class Ceiling(Adapter):
    """One table, no job above its rows; claims a hundred, completes a hundred in one statement."""

    variants = ("b100",)
    TABLE = """
        CREATE TABLE ceiling_jobs (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            queue text NOT NULL DEFAULT 'default',
            status smallint NOT NULL DEFAULT 0,
            priority smallint NOT NULL DEFAULT 0,
            attempts smallint NOT NULL DEFAULT 0,
            run_at timestamptz NOT NULL DEFAULT now(),
            lease_until timestamptz,
            worker text,
            payload jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz
        ) WITH (fillfactor = 70);
        CREATE INDEX ceiling_ready ON ceiling_jobs (queue, priority DESC, id) WHERE status = 0;
        CREATE INDEX ceiling_lease ON ceiling_jobs (lease_until) WHERE status = 1;
    """
    CLAIM = """
        UPDATE ceiling_jobs
        SET status = 1, attempts = attempts + 1, lease_until = now() + interval '30 s', worker = 'w'
        WHERE id = ANY(ARRAY(
            SELECT id FROM ceiling_jobs
            WHERE queue = 'default' AND status = 0 AND run_at <= now()
            ORDER BY priority DESC, id LIMIT $1
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING id, payload
    """
    COMPLETE = """
        UPDATE ceiling_jobs SET status = 2, finished_at = now(), lease_until = NULL
        WHERE id = ANY($1::bigint[]) AND status = 1
    """
    INSERT = """
        WITH new AS (INSERT INTO ceiling_jobs (payload) VALUES ($1::jsonb) RETURNING id)
        SELECT id, pg_notify('ceiling', '') FROM new
    """

    async def reset(self) -> None:
        connection = await asyncpg.connect(DSN)
        await connection.execute(self.TABLE)
        await connection.close()

    async def open(self) -> None:
        self.pool = await asyncpg.create_pool(DSN, min_size=POOL, max_size=POOL)

    async def close(self) -> None:
        await self.pool.close()

    async def enqueue(self, stamp: int) -> None:
        await self.pool.fetchrow(self.INSERT, json.dumps({**PAYLOAD, "t": stamp}))

    async def bulk(self, n: int) -> None:
        rows = [json.dumps({**PAYLOAD, "t": 0}) for _ in range(n)]
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO ceiling_jobs (payload) SELECT unnest($1::jsonb[])", rows)
            await connection.execute("NOTIFY ceiling")

    async def work(self, rec: Hits, variant: str, wait: bool, ready: Callable[[], Awaitable[None]]) -> None:
        connection, listener = await asyncpg.connect(DSN), await asyncpg.connect(DSN)
        woken = asyncio.Event()
        await listener.add_listener("ceiling", lambda *_: woken.set())
        claim, complete = await connection.prepare(self.CLAIM), await connection.prepare(self.COMPLETE)
        await ready()
        while True:
            woken.clear()
            rows = await claim.fetch(100)
            for row in rows:
                rec.hit(json.loads(row["payload"])["t"])
            if rows:
                await complete.fetch([row["id"] for row in rows])
            elif not wait:
                return
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), 5)


async def emptied() -> None:
    """Drop all that an earlier round left."""
    connection = await asyncpg.connect(DSN)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()


async def settled() -> None:
    """What autovacuum and the checkpointer would do some time: now, so that no measurement meets it."""
    connection = await asyncpg.connect(DSN)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
