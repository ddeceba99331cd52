"""Exercise 2.2: survive a dead neighbour.

A process calls several services, all over one pool of connections. One of them falls into a black hole: it
takes each call and never answers. Its calls keep their connections, and soon there is none left for the
others, who are in perfect health.

Done when the calls to all other services go on as before; when a call to the dead one ends in `Unavailable`
within PATIENCE seconds; when after FAILURES failed calls in a row it is left alone for REST seconds; when
then one single call tries, and its success opens the way for all. A caller may leave at any moment.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

Send = Callable[[str], Awaitable[str]]
"""Sends a request to one service; raises `OSError` when that breaks."""

CONNECTIONS = 16  # of the process, for all of its services together
PATIENCE = 0.25
FAILURES = 5
REST = 2.0


class Unavailable(Exception):
    """The service was not asked, or gave no answer in time."""


class Services:
    """Calls services by name; `clock` gives seconds."""

    def __init__(self, sends: Mapping[str, Send], clock: Callable[[], float]) -> None:
        self.sends, self.clock = sends, clock
        self.connections = asyncio.Semaphore(CONNECTIONS)
        # TODO Keep for each service what you must remember of it.
        self.failures = dict.fromkeys(sends, 0)

    async def call(self, name: str, request: str) -> str:
        # TODO Give the call a time, its service a share of the connections, and a failing service a rest.
        async with self.connections:
            return await self.sends[name](request)
