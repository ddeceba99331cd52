"""Reading without hurry."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import TypeVar

Item = TypeVar("Item")

BEAT_SECONDS = 0.05
"""A page shows text at this pace more smoothly than anybody reads it."""


async def in_beats(items: AsyncIterable[Item], beat: float = BEAT_SECONDS) -> AsyncIterator[Item]:
    """The same items, in fewer goes: to wake up for a token costs far more than the token.

    The first is given as it comes. Each later one that was not there yet is held for a beat; what comes
    meanwhile lies in the socket, and is read with it in one go.
    """
    loop = asyncio.get_running_loop()
    waited = asyncio.Event()
    loop.call_soon(waited.set)  # runs only once this stream, or who reads it, lets the loop go on
    begun = False
    async for item in items:
        if waited.is_set():
            if begun:
                await asyncio.sleep(beat)
            waited.clear()
            loop.call_soon(waited.set)
        begun = True
        yield item
