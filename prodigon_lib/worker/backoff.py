"""How long a prompt waits before its next attempt."""

import random
from dataclasses import dataclass, field

LONGEST_RETRY_AFTER = 3600.0
"""A wish for more than this is more likely a mistake than a plan."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with jitter over the upper half of each wait, so that prompts that failed together do not
    come back together. All in seconds.
    """

    base: float
    cap: float
    generator: random.Random = field(default_factory=random.Random)

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """The wait after attempt number `attempt` (from 1); never less than `retry_after`."""
        # 2.0 ** 1024 has no float; no cap is that far away.
        longest = min(self.cap, self.base * 2.0 ** min(attempt - 1, 64))
        wait = longest * self.generator.uniform(0.5, 1.0)
        if retry_after is None:
            return wait
        # On top of what was asked for: to come back all in one instant is to be refused again.
        return max(wait, min(retry_after, LONGEST_RETRY_AFTER) + self.base * self.generator.uniform(0.0, 1.0))
