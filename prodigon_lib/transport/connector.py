"""Connections to a service are made a few at a time.

Of a thousand that are begun at once, each waits for all, on both sides; many are then given up as too slow,
as if nobody listened.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace

AT_ONCE = 32


@dataclass(slots=True)
class Door:
    """Of one address: turns to connect, and how many did and did not."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    made: int = 0
    failed: int = 0


class PatientConnector(aiohttp.TCPConnector):
    """The time limit of a connection begins with its turn; the whole call has its own."""

    def __init__(self, *, limit: int, keepalive_timeout: float) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout)
        self._doors: defaultdict[tuple[str | None, int | None], Door] = defaultdict(Door)

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        door = self._doors[req.url.host, req.url.port]
        made, failed = door.made, door.failed
        async with door.turns:
            if door.failed > failed and door.made == made:  # nobody got in while we waited
                raise aiohttp.ConnectionTimeoutError(f"nobody could connect to {req.url.authority}")
            try:
                connection = await super()._create_connection(req, traces, timeout)
            except (aiohttp.ClientError, TimeoutError):
                door.failed += 1
                raise
            door.made += 1
            return connection
