"""Answers kept in this process: the fastest place, and each process has its own."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from prodigon_lib.cache.store import Entry, Place

OVERHEAD = 400
"""Bytes that an entry costs beside its body: key, objects, a place in the order. Measured, rounded up."""


@dataclass(slots=True)
class Kept:
    entry: Entry
    until: float

    @property
    def size(self) -> int:
        return len(self.entry.body) + OVERHEAD


@dataclass(slots=True)
class MemoryStore:
    """Bounded by entries and by bytes; what was not asked for longest goes first.

    Args:
        clock: seconds, never going back.
    """

    entries: int
    bytes: int
    clock: Callable[[], float] = time.monotonic
    used: int = 0
    evicted: int = 0
    _kept: OrderedDict[str, Kept] = field(default_factory=OrderedDict)
    _leases: dict[str, tuple[str, float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: str) -> Entry | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self.clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.entry

    async def claim(self, key: str, owner: str, lease: float) -> Entry | Place:
        if (entry := await self.get(key)) is not None:
            return entry
        _, until = self._leases.get(key, ("", 0.0))
        if until > self.clock():
            return Place.WAITS
        self._leases[key] = (owner, self.clock() + lease)
        return Place.LEADS

    async def renew(self, key: str, owner: str, lease: float) -> bool:
        held = self._holds(key, owner)
        if held:
            self._leases[key] = (owner, self.clock() + lease)
        return held

    async def fill(self, key: str, owner: str, entry: Entry, seconds: float) -> None:
        if key in self._kept:
            self._drop(key)
        kept = Kept(entry, self.clock() + seconds)
        if kept.size <= self.bytes:
            self._kept[key] = kept
            self.used += kept.size
        while len(self._kept) > self.entries or self.used > self.bytes:
            self._drop(next(iter(self._kept)))
            self.evicted += 1
        await self.release(key, owner)

    async def release(self, key: str, owner: str) -> None:
        if self._holds(key, owner):
            del self._leases[key]

    async def close(self) -> None:
        self._kept.clear()
        self._leases.clear()
        self.used = 0

    def _holds(self, key: str, owner: str) -> bool:
        holder, until = self._leases.get(key, ("", 0.0))
        return holder == owner and until > self.clock()

    def _drop(self, key: str) -> None:
        self.used -= self._kept.pop(key).size
