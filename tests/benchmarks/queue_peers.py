"""The peers' queues; runs in their environment, which has no Prodigon. `Adapter` says what each verb does."""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg

from tests.benchmarks.queue_systems import DSN, PAYLOAD, POOL, Adapter, Hits

WORKER_POOL = 24


class Pgqueuer(Adapter):
    variants = ("b100",)

    async def reset(self) -> None:
        from pgqueuer import AsyncpgDriver, Queries

        connection = await asyncpg.connect(DSN)
        await Queries(AsyncpgDriver(connection)).install()
        await connection.close()

    async def open(self) -> None:
        from pgqueuer import AsyncpgPoolDriver, Queries

        self.pool = await asyncpg.create_pool(DSN, min_size=POOL, max_size=POOL)
        self.queries = Queries(AsyncpgPoolDriver(self.pool))

    async def close(self) -> None:
        await self.pool.close()

    async def enqueue(self, stamp: int) -> None:
        await self.queries.enqueue("noop", json.dumps({**PAYLOAD, "t": stamp}).encode())

    async def bulk(self, n: int) -> None:
        payload = json.dumps({**PAYLOAD, "t": 0}).encode()
        await self.queries.enqueue(["noop"] * n, [payload] * n, [0] * n)

    async def work(self, rec: Hits, variant: str, wait: bool, ready: Callable[[], Awaitable[None]]) -> None:
        from pgqueuer import AsyncpgDriver, PgQueuer
        from pgqueuer.types import QueueExecutionMode

        worker = PgQueuer(AsyncpgDriver(await asyncpg.connect(DSN)))

        @worker.entrypoint("noop")
        async def noop(job: Any) -> None:
            rec.hit(json.loads(job.payload)["t"])

        await ready()
        mode = QueueExecutionMode.continuous if wait else QueueExecutionMode.drain
        await worker.qm.run(batch_size=100, mode=mode, dequeue_timeout=timedelta(seconds=30))


class Procrastinate(Adapter):
    variants = ("c20",)

    async def reset(self) -> None:
        app, _ = self.app(Hits(), POOL)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    async def open(self) -> None:
        self.opened, self.task = self.app(Hits(), POOL)
        await self.opened.open_async()

    async def close(self) -> None:
        await self.opened.close_async()

    async def enqueue(self, stamp: int) -> None:
        await self.task.defer_async(t=stamp, p=PAYLOAD)

    async def bulk(self, n: int) -> None:
        await self.task.batch_defer_async(*[{"t": 0, "p": PAYLOAD} for _ in range(n)])

    async def work(self, rec: Hits, variant: str, wait: bool, ready: Callable[[], Awaitable[None]]) -> None:
        logging.getLogger("procrastinate").setLevel(logging.WARNING)
        app, _ = self.app(rec, WORKER_POOL)
        async with app.open_async():
            await ready()
            await app.run_worker_async(wait=wait, concurrency=20, install_signal_handlers=False)

    def app(self, rec: Hits, size: int) -> tuple[Any, Any]:
        import procrastinate

        connector = procrastinate.PsycopgConnector(conninfo=DSN, min_size=4, max_size=size)
        app = procrastinate.App(connector=connector)

        @app.task(name="noop", queue="default")
        async def noop(t: int, p: dict[str, str]) -> None:
            rec.hit(t)

        return app, noop
