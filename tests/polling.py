"""Waiting in tests: for a condition, with a timeout, never for a time."""

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any


async def eventually(condition: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """The first true value of `condition()` (awaited when it is awaitable); fails after `within` seconds."""
    for _ in until(condition, within):
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        await asyncio.sleep(every)
    return None


def eventually_sync(condition: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """`eventually` where no event loop is at hand, or one that is not ours, as with Playwright."""
    for _ in until(condition, within):
        if value := condition():
            return value
        threading.Event().wait(every)
    return None


def until(condition: Callable[[], Any], within: float) -> Iterator[None]:
    """Yields until `within` seconds are over, then fails."""
    end = time.monotonic() + within
    while True:
        late = time.monotonic() > end
        yield
        if late:
            raise AssertionError(f"not within {within} s: {inspect.getsource(condition).strip()}")
