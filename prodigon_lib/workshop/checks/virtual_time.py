"""An event loop whose time jumps: when all wait for a time, that time is there. Minutes pass in no time.

A check that runs on it has no clock to blame: the same draws give the same order of events on any machine.
"""

import asyncio
import selectors
import time
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar
from unittest.mock import patch

Result = TypeVar("Result")


class JumpingSelector(selectors.BaseSelector):
    """Looks at files without waiting for them; where it would wait for a time, it moves `now` there."""

    def __init__(self) -> None:
        self._files = selectors.DefaultSelector()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:  # only a thread or a file can still wake the loop
            return self._files.select(None)
        ready = self._files.select(0)
        if not ready and timeout > 0:
            self.now += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._files.get_map()

    def close(self) -> None:
        self._files.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtually(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work` on a loop whose time jumps; `time.monotonic` and `time.perf_counter` jump too.

    For work without sockets: to those no time would be left.
    """
    loop = VirtualLoop()
    with patch.object(time, "monotonic", loop.time), patch.object(time, "perf_counter", loop.time):
        try:
            return loop.run_until_complete(work)
        finally:
            loop.close()
