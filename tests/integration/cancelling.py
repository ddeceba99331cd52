"""Cancels a call at each of its moments."""

import asyncio
from collections.abc import Coroutine
from typing import Any

MOMENTS = range(30)
"""In turns of the event loop: it connects, waits for a connection, and for its answer."""


async def check_that_it_ends(call: Coroutine[Any, Any, object], moment: int) -> None:
    """Cancelled after so many turns, it ends so, unless it had ended before."""
    task = asyncio.create_task(call)
    for _ in range(moment):
        await asyncio.sleep(0)
    ended = task.done()
    task.cancel()
    (answer,) = await asyncio.gather(task, return_exceptions=True)
    assert ended or isinstance(answer, asyncio.CancelledError)
