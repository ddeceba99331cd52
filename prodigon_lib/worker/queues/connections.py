"""Connections to Postgres that come back: a pool for statements, and one more that only listens.

Nothing here needs the database to be there at the start. It logs an outage once, and its end once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg

from prodigon_lib.core.deadline import allowed, remaining
from prodigon_lib.core.logging import get_logger
from prodigon_lib.persistence.login import connect
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.queues.faults import FAULTS, queue_error
from prodigon_lib.worker.queues.outage import Outage

logger = get_logger("queue", service="worker")

CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 15.0
LISTEN_CHECK_SECONDS = 10.0
"""How often the silent listener is asked whether it still has a server."""
RECONNECT_SECONDS = (0.1, 2.0)

PLANNING = """
SET jit = off;
-- A plan made while the tables were empty is kept for as long as the connection; it must hold when they are
-- large. Every statement of the queue is meant to read a few rows through an index.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_mergejoin = off;
SET enable_hashjoin = off;
"""


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """Without a reset at its return to the pool: a round trip each time, and there is nothing to reset."""

    def get_reset_query(self) -> str:
        return ""


class Connections:
    """The pool and the listener of one queue.

    Args:
        size: connections in the pool at most; the listener is one more.
        channels: what to call with the payload of each notification.
        missed: called when the listener has (re)connected, since nobody tells what came before.
    """

    def __init__(
        self,
        url: DatabaseUrl,
        *,
        size: int,
        channels: Mapping[str, Callable[[str], None]],
        missed: Callable[[], None],
    ) -> None:
        self._url = url
        self._size = size
        self._channels = channels
        self._missed = missed
        self._pool: asyncpg.Pool[Any] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._outage = Outage("database", database=url.shown)

    async def open(self) -> None:
        """Makes no connection yet; a second call changes nothing."""
        if self._pool is not None:
            return
        self._pool = asyncpg.create_pool(
            self._url.dsn,
            connect=partial(connect, self._url),
            min_size=0,
            max_size=self._size,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            connection_class=Connection,
            init=prepare,
        )
        await self._pool
        self._listener = asyncio.create_task(self._listen())

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None
        if self._pool is not None:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._pool.close()
            except FAULTS:
                self._pool.terminate()
            self._pool = None

    @property
    def usage(self) -> tuple[int, int]:
        """Connections that are open, and how many of them are lent out."""
        if self._pool is None:
            return 0, 0
        size = self._pool.get_size()
        return size, size - self._pool.get_idle_size()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection while the block runs.

        Raises:
            UpstreamUnavailable, UpstreamTimeout: the database is away, or too slow.
        """
        assert self._pool is not None, "open() was not called"
        began = self._outage.began()
        try:
            wait = allowed(CONNECT_SECONDS)
            async with asyncio.timeout(remaining()), self._pool.acquire(timeout=wait) as connection:
                yield connection
        except FAULTS as error:
            problem = queue_error(error)
            if problem is None:
                raise
            self._outage.found(problem)
            raise problem from error
        self._outage.over(began)

    async def _listen(self) -> None:
        delay, longest = RECONNECT_SECONDS
        while True:
            connection = None
            try:
                connection = await connect(
                    self._url, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS
                )
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                for channel in self._channels:
                    await connection.add_listener(channel, self._notified)
                delay = RECONNECT_SECONDS[0]
                self._missed()
                await self._hear(connection, lost)
            except FAULTS as error:
                if queue_error(error) is None:
                    logger.exception("the queue's listener failed")
            finally:
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(delay)
            delay = min(2 * delay, longest)

    def _notified(self, _: object, __: int, channel: str, payload: object) -> None:
        self._channels[channel](str(payload))

    @staticmethod
    async def _hear(connection: asyncpg.Connection, lost: asyncio.Event) -> None:
        """Returns when the connection is lost. One that has died in silence says so when it is asked."""
        while not lost.is_set():
            try:
                async with asyncio.timeout(LISTEN_CHECK_SECONDS):
                    await lost.wait()
            except TimeoutError:
                await connection.execute("SELECT 1")


async def prepare(connection: asyncpg.Connection) -> None:
    await connection.execute(PLANNING)
