"""Rate limits as a provider keeps them: a bucket of requests and one of tokens, for each key and model.

A bucket holds one minute's worth and is filled steadily, so `x-ratelimit-reset-*` says how long it takes
until it is full again. In Groq's own example of these headers, 30 requests below a limit of 14,400 a day
reset in three minutes: six seconds for each.
"""

from collections import OrderedDict
from dataclasses import dataclass

from prodigon_lib.model.providers.simulated.clock import Clock
from prodigon_lib.model.providers.simulated.controls import Limits

MINUTE = 60.0
MOST_ACCOUNTS = 1000
TOLERANCE = 1e-9
"""What adding up seconds as floats may lose; without it a caller who waits exactly as told may be early."""


class Bucket:
    """Holds `capacity`, filled at `capacity` a minute."""

    def __init__(self, capacity: int, clock: Clock) -> None:
        self.capacity = capacity
        self._clock = clock
        self._level = float(capacity)
        self._seen = clock.now()

    def level(self) -> float:
        now = self._clock.now()
        filled = self._level + (now - self._seen) * self.capacity / MINUTE
        self._level, self._seen = min(float(self.capacity), filled), now
        return self._level

    def wait_for(self, amount: float) -> float:
        """Seconds until that much is there; 0 when it is. `amount` is at most the capacity."""
        missing = amount - self.level()
        return missing * MINUTE / self.capacity if missing > TOLERANCE * self.capacity else 0.0

    def take(self, amount: float) -> None:
        """Negative gives back. Never more than the capacity is kept."""
        self._level = min(float(self.capacity), self.level() - amount)


@dataclass(frozen=True, slots=True)
class Account:
    """One key's buckets for one model."""

    requests: Bucket | None
    tokens: Bucket | None

    def wait(self, tokens: int) -> float:
        """Seconds until a request with that many tokens would be let in."""
        waits = [
            bucket.wait_for(amount)
            for bucket, amount in ((self.requests, 1), (self.tokens, tokens))
            if bucket is not None
        ]
        return max(waits, default=0.0)

    def charge(self, tokens: int) -> None:
        if self.requests is not None:
            self.requests.take(1)
        if self.tokens is not None:
            self.tokens.take(tokens)

    def refund(self, tokens: int) -> None:
        """Give back what was reserved and not used."""
        if self.tokens is not None:
            self.tokens.take(-tokens)

    def headers(self) -> dict[str, str]:
        """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, of the limits that are set."""
        headers = {}
        for name, bucket in (("requests", self.requests), ("tokens", self.tokens)):
            if bucket is not None:
                headers[f"x-ratelimit-limit-{name}"] = str(bucket.capacity)
                headers[f"x-ratelimit-remaining-{name}"] = str(int(bucket.level() + TOLERANCE))
                headers[f"x-ratelimit-reset-{name}"] = duration(bucket.wait_for(bucket.capacity))
        return headers


class RateLimits:
    """An account for each key and model, made when first used. The least recently used go first."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._accounts: OrderedDict[tuple[str, str], Account] = OrderedDict()

    def account(self, key: str, model: str) -> Account:
        name = (key, model)
        if name not in self._accounts:
            requests, tokens = self._limits.requests_per_minute, self._limits.tokens_per_minute
            self._accounts[name] = Account(
                Bucket(requests, self._clock) if requests else None,
                Bucket(tokens, self._clock) if tokens else None,
            )
            if len(self._accounts) > MOST_ACCOUNTS:
                self._accounts.popitem(last=False)
        self._accounts.move_to_end(name)
        return self._accounts[name]


def duration(seconds: float) -> str:
    """As Groq writes it: `7.66s`, `2m59.56s`."""
    minutes, rest = divmod(round(seconds, 3), MINUTE)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
