"""Time as the simulated model knows it: the real one, or one that jumps from event to event.

A virtual clock brings its own event loop. Where a loop would wait for its next timer, this one moves the
clock there at once, so that every `asyncio.sleep` and `asyncio.timeout` inside an experiment is virtual
too, and ten minutes pass as fast as the work in them can be computed:

    clock = VirtualClock()
    model = SimulatedProvider(clock=clock)
    clock.run(ten_minutes_of_load(model))
"""

import asyncio
import selectors
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Clock(Protocol):
    """Seconds from some start; only differences mean something."""

    def now(self) -> float: ...

    async def sleep_until(self, moment: float) -> None:
        """Returns at once when the moment has passed."""
        ...


class RealClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep_until(self, moment: float) -> None:
        seconds = moment - time.monotonic()
        if seconds > 0:
            await asyncio.sleep(seconds)


class VirtualClock:
    """Starts at 0 and moves only when told to, or inside `run`."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        assert seconds >= 0, "time does not run backwards"
        self._now += seconds

    async def sleep_until(self, moment: float) -> None:
        if moment <= self._now:
            return
        if not isinstance(asyncio.get_running_loop(), VirtualLoop):
            raise RuntimeError("a virtual clock moves only inside VirtualClock.run()")
        await asyncio.sleep(moment - self._now)

    def run(self, experiment: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end in virtual time; from inside a running loop, a notebook's say, in a thread.

        Raises:
            RuntimeError: the experiment waits for something that will never happen.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._run(experiment)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._run, experiment).result()

    def _run(self, experiment: Coroutine[Any, Any, Result]) -> Result:
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(self)) as runner:
            return runner.run(experiment)


class JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: moves the clock to it. Files that are ready still come first."""

    clock: VirtualClock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("the experiment waits for something that will never happen")
        self.clock.advance(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers cost no time."""

    def __init__(self, clock: VirtualClock) -> None:
        selector = JumpingSelector()
        selector.clock = clock
        self._clock = clock
        super().__init__(selector)

    def time(self) -> float:
        return self._clock.now()
