"""Connections to a service are made a few at a time, and none is given up for our own lateness.

Of a thousand that are begun at once, each waits for all, on both sides. A process that is busy with their
requests meanwhile hears of a connection late, and its timers come before: it would take a service that is
there for one that is not, a thousand times over. And where a service does not answer, a few wait for it with
a place among all connections, and the rest without one.
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
        room: of all connections, whatever their address; who passes through has taken one of it.
        seconds: the limit of one connection, from its turn on; a whole call has its own.
    """

    def __init__(
        self,
        address: str,
        connect: Callable[[], Awaitable[Connection]],
        spare: Callable[[], Connection | None],
        room: asyncio.Semaphore,
        seconds: float,
    ) -> None:
        self._address, self._connect, self._spare, self._seconds = address, connect, spare, seconds
        self._room = room
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._made = self._failed = 0

    async def pass_through(self, *, fresh: bool = False) -> Connection:
        """Args: `fresh`, for who wants none that was used.

        Raises: NobodyListens: it was refused, or not there in time.
        """
        made, failed = self._made, self._failed
        async with self._turns:
            await self._room.acquire()
            try:
                if not fresh and (spare := self._spare()) is not None:
                    return spare
                if self._made == made and self._failed - failed >= AT_ONCE:  # nobody got in while we waited
                    raise NoConnectionInTime(f"nobody could connect to {self._address}")
                return await self._made_anew()
            except BaseException:
                self._room.release()
                raise

    async def _made_anew(self) -> Connection:
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
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(self._connect())
        try:
            end = loop.time() + self._seconds
            await asyncio.wait({task}, timeout=self._seconds)
            if not task.done() and (late := loop.time() - end) > 0:
                # What we were held for is no time of theirs, and TLS has more than one thing to say.
                await asyncio.wait({task}, timeout=min(late, self._seconds))
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
