"""A service in a thread of its own, for clients that block."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.integration.serving import serving


@contextmanager
def serving_in_thread(build: Callable[[], Any]) -> Iterator[str]:
    """Serve the application that `build` makes while the block runs; gives its base URL."""
    started: threading.Event = threading.Event()
    state: dict[str, Any] = {}

    async def run() -> None:
        state["loop"], state["stop"] = asyncio.get_running_loop(), asyncio.Event()
        async with serving(build()) as url:
            state["url"] = url
            started.set()
            await state["stop"].wait()

    def main() -> None:
        try:
            asyncio.run(run())
        finally:
            started.set()

    thread = threading.Thread(target=main, name="service")
    thread.start()
    assert started.wait(20)
    try:
        yield state["url"]
    finally:
        state["loop"].call_soon_threadsafe(state["stop"].set)
        thread.join(20)
        assert not thread.is_alive()
