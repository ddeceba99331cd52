"""An event loop beside the kernel's: it goes on while a cell runs, and a cell runs while it works."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Background:
    """A loop in a daemon thread. The kernel's own loop stands still as long as a cell does."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name="prodigon-panels", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Call it there, soon; from any thread."""
        self._loop.call_soon_threadsafe(function, *args)

    def submit(self, work: Coroutine[Any, Any, Answer]) -> Future[Answer]:
        """Run it there; from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@cache
def shared_background() -> Background:
    """The one of this process, for all panels: a panel that nobody looks at costs no thread."""
    return Background()
