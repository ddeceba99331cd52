"""Connections to a service are made a few at a time, and none is given up for our own lateness.

Of a thousand that are begun at once, each waits for all, on both sides. A process that is busy with their
requests meanwhile hears of a connection late, and its timers come before: it would take a service that is
there for one that is not, a thousand times over.
"""

import asyncio
from collections.abc import Awaitable, Callable

from prodigon_lib.transport.connections.connection import Connection
from prodigon_lib.transport.connections.faults import NobodyListens, NoConnectionInTime

AT_ONCE = 32
TURNS = 10
"""Of the event loop, after the time limit: what the network has said is heard within so many."""


class Door:
    """Of one address: turns to connect, and how many did and did not.

    Args:
        connect: makes a connection.
        spare: one that came free while the caller waited for its turn.
        seconds: the limit of one connection, from its turn on; a whole call has its own.
    """

    def __init__(
        self,
        address: str,
        connect: Callable[[], Awaitable[Connection]],
        spare: Callable[[], Connection | None],
        seconds: float,
    ) -> None:
        self._address, self._connect, self._spare, self._seconds = address, connect, spare, seconds
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._made = self._failed = 0

    async def pass_through(self, *, fresh: bool = False) -> Connection:
        """Args: `fresh`, for who wants none that was used.

        Raises: NobodyListens: it was refused, or not there in time.
        """
        made, failed = self._made, self._failed
        async with self._turns:
            if not fresh and (spare := self._spare()) is not None:
                return spare
            if self._made == made and self._failed - failed >= AT_ONCE:  # nobody got in while we waited
                raise NoConnectionInTime(f"nobody could connect to {self._address}")
            try:
                connection = await self._in_time()
            except OSError as error:
                self._failed += 1
                if isinstance(error, NobodyListens):
                    raise
                raise NobodyListens(f"no connection to {self._address}") from error
            self._made += 1
            return connection

    async def _in_time(self) -> Connection:
        task = asyncio.ensure_future(self._connect())
        try:
            await asyncio.wait({task}, timeout=self._seconds)
            for _ in range(TURNS):
                if task.done():
                    break
                await asyncio.sleep(0)
            if not task.done():
                raise NoConnectionInTime(f"no connection to {self._address} in time")
        except BaseException:
            task.cancel()
            task.add_done_callback(close_unused)  # it may have been made in the moment that we gave it up
            raise
        return task.result()


def close_unused(task: "asyncio.Future[Connection]") -> None:
    """No pool knows a connection that nobody took: it would stay open for as long as the service lets it."""
    if not task.cancelled() and task.exception() is None:
        task.result().drop()
