"""Services in a thread of their own, for clients that block."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from typing import Any

from tests.integration.serving import serving


@contextmanager
def running_in_thread(run: Callable[[], AbstractAsyncContextManager[str]]) -> Iterator[str]:
    """What `run()` gives, while it is open in a loop of another thread."""
    ready = threading.Event()
    state: dict[str, Any] = {}

    async def hold() -> None:
        state["loop"], state["stop"] = asyncio.get_running_loop(), asyncio.Event()
        async with run() as value:
            state["value"] = value
            ready.set()
            await state["stop"].wait()

    def main() -> None:
        try:
            asyncio.run(hold())
        finally:
            ready.set()

    thread = threading.Thread(target=main, name="services")
    thread.start()
    assert ready.wait(30)
    try:
        yield state["value"]
    finally:
        state["loop"].call_soon_threadsafe(state["stop"].set)
        thread.join(30)
        assert not thread.is_alive()


def serving_in_thread(build: Callable[[], Any]) -> AbstractContextManager[str]:
    """Serve the application that `build` makes; gives its base URL."""
    return running_in_thread(lambda: serving(build()))
