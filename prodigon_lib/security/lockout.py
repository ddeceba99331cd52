"""Slows down whoever guesses passwords, and keeps no owner out for ever.

Three things are counted: the name from one address, the name from anywhere, the address. Waits end by
themselves, none is longer than its cap; a name that was used from an address lately is not kept out from
there by guesses from elsewhere; and tokens, API keys and an OIDC login are never asked.
"""

import hashlib
from datetime import timedelta

from prodigon_lib.core.errors import RateLimited
from prodigon_lib.core.http.client_address import subscriber
from prodigon_lib.persistence.throttles import Attempt, Backoff, Counter, ThrottleRepository

PAIR = Backoff(free=5, first=5, cap=900, forget=3600)
NAME = Backoff(free=10, first=5, cap=60, forget=600)
"""A short cap: a thousand machines that guess one name must not cost its owner more than a minute."""
ADDRESS = Backoff(free=100, first=5, cap=60, forget=36)
"""Many: a whole class sits behind one address."""

KNOWN = timedelta(days=90)
KEPT = timedelta(days=7)
"""Longer than it takes to forget all failures that a week of guessing can add."""


class Lockout:
    """`attempt` before a password is looked at, `succeeded` when it was right."""

    def __init__(self, throttles: ThrottleRepository) -> None:
        self._throttles = throttles

    async def attempt(self, name: str, address: str) -> Attempt:
        """Count it as a failure.

        Raises:
            RateLimited: it must wait. Whether there is such a name makes no difference.
        """
        attempt = attempt_of(name, subscriber(address))
        wait = await self._throttles.count(attempt)
        if wait:
            raise RateLimited("too many failed logins: wait before the next", retry_after=wait)
        return attempt

    async def succeeded(self, attempt: Attempt) -> None:
        await self._throttles.succeeded(attempt, KNOWN)

    async def prune(self) -> None:
        await self._throttles.prune(KEPT)


def attempt_of(name: str, address: str) -> Attempt:
    return Attempt(
        Counter(digest("pair", name, address), PAIR),
        Counter(digest("name", name), NAME),
        Counter(digest("address", address), ADDRESS),
    )


def digest(*parts: str) -> bytes:
    """A line break parts them, and neither a name nor an address has one."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).digest()
