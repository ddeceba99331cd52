"""Hears of SIGTERM at once, and not only when the server has closed its last connection."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_termination(call: Callable[[], None]) -> Iterator[None]:
    """Call it when the process is told to end, before the handlers that the server has installed.

    A server ends an application after its last answer. A worker stops claiming, and ends its event streams,
    as soon as it is told. Without such handlers, or outside the main thread, nothing is changed.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)
        handler = before[signal.Signals(number)]
        assert callable(handler)
        handler(number, frame)

    installed = []
    if threading.current_thread() is threading.main_thread():
        installed = [number for number in SIGNALS if callable(before[number])]
    for number in installed:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in installed:
            if signal.getsignal(number) is hear:
                signal.signal(number, before[number])
