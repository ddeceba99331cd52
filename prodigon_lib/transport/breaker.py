"""A circuit breaker: who has failed several times in a row is left alone for a while, then asked once.

closed ── failures in a row ──> open ── a rest ──> half-open: one call goes ahead
  ^                               ^                   │
  └──────── it succeeds ──────────┼───────────────────┤
                                  └──── it fails ─────┘

Calls that would only fail, or hang until their time is over, hold the caller's connections and patience, and
keep a service that tries to recover from doing so.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Breaker:
    """Of one address. Each call that `admits` let through ends in one of the three reports.

    Args:
        limit: failures in a row until it opens.
        rest: seconds until one call may try.
    """

    limit: int
    rest: float
    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    answers: int = 0
    """How many calls it has answered, so that a call can tell whether it did since."""
    _until: float = 0.0
    _probing: bool = False

    @property
    def open(self) -> bool:
        """Also while half-open: one success closes it."""
        return self.failures >= self.limit

    def admits(self) -> bool:
        if self.failures < self.limit:
            return True
        if self._probing or self.clock() < self._until:
            return False
        self._probing = True
        return True

    def seconds_left(self) -> float:
        """Until the next call may try."""
        return max(0.0, self._until - self.clock())

    def succeeded(self) -> None:
        self.answers += 1
        if self.failures:
            self.failures = 0
            self._probing = False

    def timed_out(self, answers: int) -> None:
        """A call began when there had been so many `answers`. One since then shows that the address lives: it
        was busy, or we were. In a rush of calls, many are late at once, and would open it."""
        if self.answers > answers:
            self.abandoned()
        else:
            self.failed()

    def failed(self) -> None:
        self.failures += 1
        self._probing = False
        if self.failures >= self.limit:
            self._until = self.clock() + self.rest

    def abandoned(self) -> None:
        """The caller went away, or had less time than the service may take: this says nothing of it."""
        self._probing = False
