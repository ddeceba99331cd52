"""Waiting in tests: for a condition, with a timeout, never for a time."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def eventually(condition: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """The first true value of `condition()` (awaited when it is awaitable); fails after `within` seconds."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(every)


def eventually_sync(condition: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """`eventually` for tests without an event loop."""
    return asyncio.run(eventually(condition, within=within, every=every))
