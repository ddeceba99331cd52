"""What keeps answers, and says who of many may fetch one."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer that is kept. `stored` is in seconds since 1970, by the clock of who stored it."""

    body: bytes
    stored: float


class Place(Enum):
    """Of who asked for an answer that is not there."""

    LEADS = "leads"
    """It fetches the answer, then calls `fill` or `release`."""
    WAITS = "waits"
    """Another fetches it; ask again."""


class StoreAway(Exception):
    """The store did not answer in time: go on without it."""


class Store(Protocol):
    """Every call raises StoreAway, and nothing else, when the store can't be reached.

    Who leads holds a lease: who crashes loses it, and the next one that asks leads. `owner` tells leaders
    apart, so that one whose lease ran out takes away nobody else's.
    """

    async def get(self, key: str) -> Entry | None:
        """What is kept and has not expired."""
        ...

    async def claim(self, key: str, owner: str, lease: float) -> Entry | Place:
        """The answer, or this caller's place among those who want it; in one step, so that one leads."""
        ...

    async def renew(self, key: str, owner: str, lease: float) -> bool:
        """Hold the lease for so many seconds from now; false when it is not this owner's any more."""
        ...

    async def fill(self, key: str, owner: str, entry: Entry, seconds: float) -> None:
        """Keep an answer for so long, and let the lease go when it is this owner's."""
        ...

    async def release(self, key: str, owner: str) -> None:
        """Let the lease go when it is this owner's; nothing is kept."""
        ...

    async def close(self) -> None: ...
