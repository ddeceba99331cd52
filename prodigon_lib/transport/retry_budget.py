"""How many retries there may be: a share of the requests, so that retries never become the load.

When everything fails, a retry of each call doubles the load on a service that can't take it, and each layer
that retries multiplies it again. A budget lets a rare fault be retried, and stops at an outage.
"""

from dataclasses import dataclass

PRICE = 100
RESERVE = 10
"""Retries that may be saved up: a burst of faults after a quiet time."""


@dataclass(slots=True)
class RetryBudget:
    """Args: `percent` of the requests that may be retried; 0 allows no retry."""

    percent: int
    _credit: int = 0

    def earn(self) -> None:
        """To be called at each request."""
        if self._credit < RESERVE * PRICE:
            self._credit += self.percent

    def take(self) -> bool:
        """Whether there may be a retry now; it is paid for then."""
        if self._credit < PRICE:
            return False
        self._credit -= PRICE
        return True
