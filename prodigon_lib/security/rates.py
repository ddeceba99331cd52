"""Rates, and the rule that keeps them: GCRA, the generic cell rate algorithm of ITU-T I.371.

One number a caller says all: the moment at which everything that was let through would have been due, had it
come evenly. A request moves it on by one interval, and is refused when it would lie further ahead than the
rate's whole time. So `limit` may come at once, then one each interval; no window's edge lets twice as many
through.
"""

import re
from dataclasses import dataclass
from typing import Self

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
FORM = re.compile(r"(\d{1,7})/(?:(\d{1,5}) ?)?(second|minute|hour|day)s?")
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`limit` requests in `seconds`."""

    limit: int
    seconds: int

    def __post_init__(self) -> None:
        if self.limit < 1 or self.seconds < 1 or self.interval < 1:
            raise ValueError("a rate needs one request or more, and at most a million a second")

    @classmethod
    def parse(cls, text: str) -> Self:
        """`100/minute`, `5/10 seconds`.

        Raises:
            ValueError: it is no rate.
        """
        found = FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError("must be a rate such as 100/minute or 5/10 seconds")
        limit, many, unit = found.groups()
        return cls(int(limit), int(many or 1) * UNITS[unit])

    @property
    def period(self) -> int:
        """In microseconds, as all of the rule is: whole numbers add up the same in Python and in Lua."""
        return self.seconds * MICROSECONDS

    @property
    def interval(self) -> int:
        return self.period // self.limit

    def verdict(self, *, allowed: bool, ahead: int, cost: int = 1) -> "Verdict":
        """Args: `ahead` is how far the caller's moment lies ahead now, in microseconds."""
        wait = 0 if allowed else ahead + cost * self.interval - self.period
        return Verdict(
            allowed=allowed,
            rate=self,
            remaining=max(0, (self.period - ahead) // self.interval),
            retry_after=max(0, wait) / MICROSECONDS,
            reset_after=ahead / MICROSECONDS,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one request.

    Args:
        remaining: how many more may come now.
        retry_after: seconds until this one would have been let through; 0 when it was.
        reset_after: seconds until as many as the limit may come at once again.
    """

    allowed: bool
    rate: Rate
    remaining: int
    retry_after: float
    reset_after: float
