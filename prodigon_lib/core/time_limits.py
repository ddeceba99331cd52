"""Time limits for what is frequent and nearly always over before its time.

A timer for each (`asyncio.timeout` sets one) costs as much as the rest of our part in a call. Here one timer
looks at all that run, some times a second, so a limit may be overrun by `TICK`.
"""

import asyncio
from contextvars import Context
from types import TracebackType
from typing import Protocol
from weakref import WeakKeyDictionary

TICK = 0.02
"""Seconds."""

PASSES = 5
"""Of the event loop, after an end has come: what was there before it is heard of within so many."""


class Due(Protocol):
    """Args: `end` by the event loop's clock."""

    end: float

    def reach(self) -> None:
        """Called once, when the end has come before it was taken out of what runs."""
        ...


class Ticker:
    """One timer of one event loop, for all that is in `running`. It runs in the context of none of them.

    A loop that was busy for longer than somebody had finds the end, and what came before it, at once. So
    nobody's end is told until the loop has had some passes in which to hear the rest.
    """

    def __init__(self) -> None:
        self.running: set[Due] = set()
        self._ticking = False
        self._context = Context()

    def add(self, due: Due) -> None:
        self.running.add(due)
        if not self._ticking:
            self._wait()

    def _wait(self) -> None:
        self._ticking = True
        asyncio.get_running_loop().call_later(TICK, self._tick, context=self._context)

    def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        if any(each.end <= now for each in self.running):
            self._hear(now, PASSES)
        else:
            self._tell(now)

    def _hear(self, now: float, passes: int) -> None:
        if passes:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._hear, now, passes - 1, context=self._context)
        else:
            self._tell(now)

    def _tell(self, now: float) -> None:
        due = [each for each in self.running if each.end <= now]
        self.running.difference_update(due)
        self._ticking = False
        if self.running:
            self._wait()
        for each in due:
            each.reach()


_TICKERS: "WeakKeyDictionary[asyncio.AbstractEventLoop, Ticker]" = WeakKeyDictionary()


def ticker_of(loop: asyncio.AbstractEventLoop) -> Ticker:
    """The one that all share who have none of their own."""
    found = _TICKERS.get(loop)
    if found is None:
        found = _TICKERS[loop] = Ticker()
    return found


class TimeLimits(Ticker):
    """The limits of one event loop's calls.

    with limits.until(loop.time() + 5):
        await something()
    """

    def until(self, end: float) -> "TimeLimit":
        """Args: `end` by the event loop's clock."""
        return TimeLimit(self, end)


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
        self._limits.add(self)

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
