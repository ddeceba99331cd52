"""A pause of the whole worker while the model refuses everybody.

When the model is away, or our key has reached its limit, the next prompt would be refused like the last.
Without a pause a long queue would use up all its attempts within one outage.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prodigon_lib.core.errors import ProdigonError, RateLimited, UpstreamUnavailable
from prodigon_lib.worker.backoff import Backoff


@dataclass(slots=True)
class Pause:
    """Opened by a refusal; when it is over one prompt goes ahead, whose success ends it. Times in seconds."""

    backoff: Backoff
    clock: Callable[[], float] = time.monotonic
    _refusals: int = 0
    _until: float = 0.0

    @property
    def on(self) -> bool:
        return self._refusals > 0

    def refused(self, error: ProdigonError) -> bool:
        """Whether `error` opened a pause, or made it longer: several prompts may be refused by one outage."""
        if not isinstance(error, UpstreamUnavailable | RateLimited) or self.clock() < self._until:
            return False
        self._refusals += 1
        self._until = self.clock() + self.backoff.delay(self._refusals, error.retry_after)
        return True

    def succeeded(self, begun: float) -> bool:
        """Whether this ended a pause; what was begun before the pause says nothing of what comes after it."""
        if not self.on or begun < self._until:
            return False
        self._refusals = 0
        return True

    def room(self, free: int, begun: Iterable[float]) -> int:
        """Of `free` slots, how many may be used now. `begun` is when each running prompt was."""
        if not self.on:
            return free
        probing = any(at >= self._until for at in begun)
        return 0 if probing or self.clock() < self._until else min(free, 1)

    def seconds_left(self) -> float:
        return max(0.0, self._until - self.clock())
