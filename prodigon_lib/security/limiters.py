"""Rate limiters: what one does, and the one of a single process."""

import time
from collections.abc import Callable
from typing import Protocol

from prodigon_lib.security.rates import MICROSECONDS, Rate, Verdict

MOST_KEYS = 100_000


class Limiter(Protocol):
    async def take(self, key: str, cost: int = 1) -> Verdict:
        """Let one request of `key` through, or say why not. What is refused costs nothing.

        Args:
            cost: how many places it takes; more than the limit is never let through.
        """
        ...


class MemoryLimiter:
    """Of one process. It remembers at most `most_keys` callers, those that came last."""

    def __init__(
        self, rate: Rate, *, most_keys: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self._most, self._clock = rate, most_keys, clock
        self._due: dict[str, int] = {}

    async def take(self, key: str, cost: int = 1) -> Verdict:
        now = int(self._clock() * MICROSECONDS)
        due = max(self._due.pop(key, 0), now)
        ahead = due + cost * self.rate.interval - now
        allowed = ahead <= self.rate.period
        self._due[key] = now + ahead if allowed else due  # last in the order now
        if len(self._due) > self._most:
            self._forget(now)
        return self.rate.verdict(allowed=allowed, ahead=ahead if allowed else due - now, cost=cost)

    def _forget(self, now: int) -> None:
        """Drop those whose moment has passed; if there are none, whoever has been silent longest."""
        self._due = {key: due for key, due in self._due.items() if due > now}
        while len(self._due) > self._most:
            del self._due[next(iter(self._due))]
