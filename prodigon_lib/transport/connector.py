"""Connections to a service are made a few at a time, and none is given up for our own lateness.

Of a thousand that are begun at once, each waits for all, on both sides. A process that is busy with their
requests meanwhile hears of a connection late, and its timers come before: it would take a service that is
there for one that is not, a thousand times over.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace

AT_ONCE = 32
TURNS = 10
"""Of the event loop, after the time limit: what the network has said is heard within so many."""


@dataclass(slots=True)
class Door:
    """Of one address: turns to connect, and how many did and did not."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    made: int = 0
    failed: int = 0


class PatientConnector(aiohttp.TCPConnector):
    """Args: `connect_seconds` is the limit of one connection, from its turn on; a whole call has its own."""

    def __init__(self, *, limit: int, keepalive_timeout: float, connect_seconds: float) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout)
        self._connect_seconds = connect_seconds
        self._doors: defaultdict[tuple[str | None, int | None], Door] = defaultdict(Door)

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        door = self._doors[req.url.host, req.url.port]
        made, failed = door.made, door.failed
        async with door.turns:
            if door.made == made and door.failed - failed >= AT_ONCE:  # nobody got in while we waited
                raise aiohttp.ConnectionTimeoutError(f"nobody could connect to {req.url.authority}")
            try:
                connection = await self._in_time(super()._create_connection(req, traces, timeout), req)
            except (aiohttp.ClientError, TimeoutError):
                door.failed += 1
                raise
            door.made += 1
            return connection

    async def _in_time(
        self, connecting: Coroutine[Any, Any, ResponseHandler], req: ClientRequest
    ) -> ResponseHandler:
        task = asyncio.ensure_future(connecting)
        try:
            await asyncio.wait({task}, timeout=self._connect_seconds)
            for _ in range(TURNS):
                if task.done():
                    break
                await asyncio.sleep(0)
            if not task.done():
                raise aiohttp.ConnectionTimeoutError(f"no connection to {req.url.authority} in time")
        except BaseException:
            task.cancel()
            task.add_done_callback(close_unused)  # it may have been made in the moment that we gave it up
            raise
        return task.result()


def close_unused(task: "asyncio.Task[ResponseHandler]") -> None:
    """No pool knows a connection that nobody took: it would stay open for as long as the service lets it."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
