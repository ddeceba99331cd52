"""How many prompts a worker runs at once: what its setting says, and fewer where its key has a limit.

A limit of requests a minute is one of work in flight too (Little's law: in flight = rate x latency), but of
how many nobody can say beforehand, since latency changes. So the worker finds out, as TCP does with a line:
one more for each round that goes well, half after a refusal. What runs beyond the limit is refused, and each
refusal costs the prompt one of its attempts.
"""

from dataclasses import dataclass, field

from prodigon_lib.core.errors import ProdigonError, RateLimited

HALF = 0.5
ROUNDS = 10
"""So many rounds of successes until one more is tried: to meet the limit again costs a pause."""


@dataclass(slots=True)
class Concurrency:
    """Args: `most` is the setting. Between it and 1, `allowed` follows what the model says."""

    most: int
    _level: float = field(init=False)

    def __post_init__(self) -> None:
        self._level = float(self.most)

    @property
    def allowed(self) -> int:
        return int(self._level)

    def refused(self, error: ProdigonError) -> None:
        """To be called once for several refusals of one moment."""
        if isinstance(error, RateLimited):
            self._level = max(1.0, self._level * HALF)

    def succeeded(self) -> None:
        if self._level < self.most:
            self._level = min(float(self.most), self._level + 1 / (ROUNDS * self._level))
