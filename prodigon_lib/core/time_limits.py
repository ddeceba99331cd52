"""Time limits for calls that are many and nearly always in time.

`asyncio.timeout` sets a timer for each, which costs as much as the rest of our part in a call. Here one timer
looks at all that run, some times a second, so a limit may be overrun by `TICK`.
"""

import asyncio
from types import TracebackType

TICK = 0.02
"""Seconds."""


class TimeLimits:
    """The limits of one event loop's calls.

    with limits.until(loop.time() + 5):
        await something()
    """

    def __init__(self) -> None:
        self.running: set[TimeLimit] = set()
        self._ticking = False

    def until(self, end: float) -> "TimeLimit":
        """Args: `end` by the event loop's clock."""
        return TimeLimit(self, end)

    def watch(self) -> None:
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(TICK, self._tick)

    def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        for limit in self.running:
            if limit.end <= now:
                limit.reach()
        self._ticking = False
        if self.running:
            self.watch()


class TimeLimit:
    """Around what may take until `end`, in one task.

    Raises:
        TimeoutError: it took longer, and was cancelled.
    """

    __slots__ = ("_before", "_limits", "_reached", "_task", "end")

    def __init__(self, limits: TimeLimits, end: float) -> None:
        self._limits, self.end = limits, end
        self._reached = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._before = task, task.cancelling()
        self._limits.running.add(self)
        self._limits.watch()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.running.discard(self)
        if not self._reached:
            return
        # The count tells our own cancelling from somebody else's in the same moment, which goes on.
        if self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def reach(self) -> None:
        if not self._reached:
            self._reached = True
            self._task.cancel()
