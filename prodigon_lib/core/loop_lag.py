"""How late a service's event loop is, and where it stood when it was blocked.

A timer is due twenty times a second. What runs on the loop without giving it back, makes it late, and with it
every request of the process. No request pays for the measuring, nor is a task needed: the timer's callback
adds to plain numbers. A thread, which sleeps nearly always, looks at the loop's stack once the timer is
overdue. It needs the interpreter's lock for that: C code which holds it to its end is measured, not named.
"""

import asyncio
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from types import FrameType

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from prodigon_lib.core.logging import get_logger

EVERY_SECONDS = 0.05
WINDOW_SECONDS = 15.0
"""The longest lag is told for at least so long, so that whoever asks every 15 seconds misses none."""
STILL = 10
"""At so many times the setting, a line is written while the loop is blocked: it may never come back."""
FRAMES = 6
WAITING = {"selectors.py", "runners.py", "_compat.py"}
"""Files in whose code a loop waits when it has nothing to do: asyncio's, or the caller of uvloop."""

LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
BOUNDS = [*(str(float(bound)) for bound in LAG_BUCKETS), "+Inf"]


class LoopLag(Collector):
    """Of one loop, from `watching` on. A lag of `warn_seconds` or more gets a line in the log."""

    def __init__(self, service: str, warn_seconds: float, *, every: float = EVERY_SECONDS) -> None:
        self.service, self.warn_seconds, self.every = service, warn_seconds, every
        self._logger = get_logger("loop", service=service)
        self._buckets, self._seconds = [0] * len(BOUNDS), 0.0
        self._recent = self._before = self._turned = 0.0
        self._due = 0.0
        self._stood = ""

    @property
    def longest(self) -> float:
        """The longest lag of the last 15 to 30 seconds."""
        return max(self._recent, self._before)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Measures the running loop while the block runs; entered on that loop."""
        loop, over = asyncio.get_running_loop(), threading.Event()
        timer: asyncio.TimerHandle
        self._turned = time.perf_counter()

        def beat() -> None:
            nonlocal timer
            self._beat(time.perf_counter())
            timer = loop.call_later(self.every, beat)

        self._due = self._turned + self.every
        timer = loop.call_later(self.every, beat)
        thread = threading.Thread(
            target=self._look_after, args=(threading.get_ident(), over), name="loop-lag", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            timer.cancel()
            over.set()

    def describe(self) -> Iterable[Metric]:
        return self._families()

    def collect(self) -> Iterator[Metric]:
        lags, longest = self._families()
        counts = zip(BOUNDS, accumulate(self._buckets), strict=True)
        lags.add_metric([self.service], list(counts), self._seconds)
        longest.add_metric([self.service], self.longest)
        yield from (lags, longest)

    @staticmethod
    def _families() -> tuple[HistogramMetricFamily, GaugeMetricFamily]:
        return (
            HistogramMetricFamily(
                "prodigon_loop_lag_seconds",
                "How late a timer of the event loop came, twenty times a second.",
                labels=("service",),
            ),
            GaugeMetricFamily(
                "prodigon_loop_lag_longest_seconds",
                "The longest of these lags in the last 15 to 30 seconds.",
                labels=("service",),
            ),
        )

    def _beat(self, now: float) -> None:
        late = max(0.0, now - self._due)
        self._due = now + self.every
        self._buckets[bisect_left(LAG_BUCKETS, late)] += 1
        self._seconds += late
        if now - self._turned >= WINDOW_SECONDS:
            self._before, self._recent, self._turned = self._recent, 0.0, now
        self._recent = max(self._recent, late)
        if late >= self.warn_seconds:
            stood, self._stood = self._stood, ""
            self._logger.warning(
                "the event loop was blocked", seconds=round(late, 3), where=stood or "not seen"
            )

    def _look_after(self, loop_thread: int, over: threading.Event) -> None:
        """Wakes when the beat that is due now would be too late, and mostly finds that it has come."""
        while not over.wait(max(0.001, self._due + self.warn_seconds - time.perf_counter())):
            due = self._due
            if time.perf_counter() - due < self.warn_seconds:
                continue
            self._stood = where(sys._current_frames().get(loop_thread))
            while self._due == due and not over.wait(self.warn_seconds / 2):
                if time.perf_counter() - due > STILL * self.warn_seconds:
                    stands = where(sys._current_frames().get(loop_thread))
                    self._logger.error("the event loop is blocked, and still is", where=stands)
                    break
            while self._due == due and not over.wait(self.warn_seconds):
                pass  # said once


def where(frame: FrameType | None) -> str:
    """The innermost lines of a stack, the one that runs first; no values, which may be anybody's secrets."""
    if frame is None or Path(frame.f_code.co_filename).name in WAITING:
        return "nowhere: the process was stopped, or got no processor"
    lines: list[str] = []
    while frame is not None and len(lines) < FRAMES:
        path = Path(frame.f_code.co_filename)
        lines.append(f"{path.parent.name}/{path.name}:{frame.f_lineno} in {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(lines)
