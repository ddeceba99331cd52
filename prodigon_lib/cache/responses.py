"""An answer from the store, from a call that runs already, or from a call of one's own."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from prodigon_lib.cache.flights import Flights
from prodigon_lib.cache.store import Entry, Place, Store, StoreAway

Fetch = Callable[[], Awaitable[bytes]]


class Outcome(StrEnum):
    """Where an answer came from."""

    HIT = "hit"
    MISS = "miss"
    JOINED = "joined"
    """A call that another request had begun."""
    REFRESHED = "refreshed"
    """A call, as this request took no stored answer; the answer is stored for others."""
    BYPASSED = "bypassed"
    """A call that the cache has no part in."""


@dataclass(frozen=True, slots=True)
class Response:
    """`age` is in seconds since the answer was made, 0 for a fresh one."""

    body: bytes
    outcome: Outcome
    age: float = 0.0
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds.

    `keep` is how long an answer is kept, more or less by a share of `jitter`, so that what was stored
    together does not expire together. `lease` is how long the others wait for a leader that crashed;
    `patience`, for one that lives and is not done.
    """

    keep: float = 600.0
    jitter: float = 0.1
    lease: float = 3.0
    patience: float = 30.0
    first_look: float = 0.01
    last_look: float = 0.2
    """The pauses between two looks at another process' work, from the first to the longest."""


class ResponseCache:
    """Many who ask for one answer at once cost one call: of this process, and with a shared store of all.

    What fails is not kept, and a store that is away is done without: slower, not wrong.

    Args:
        keeps: whether an answer is worth keeping.
        on_outcome: hears of each answer.
    """

    def __init__(
        self,
        store: Store,
        lifetimes: Lifetimes | None = None,
        *,
        on_outcome: Callable[[Outcome], None] = lambda _: None,
        chance: random.Random | None = None,
    ) -> None:
        self.store, self._times = store, lifetimes or Lifetimes()
        self._heard, self._chance = on_outcome, chance or random.Random()
        self._flights: Flights[Response] = Flights()

    async def respond(
        self,
        key: str,
        fetch: Fetch,
        *,
        keeps: Callable[[bytes], bool] = lambda _: True,
        oldest: float | None = None,
    ) -> Response:
        """The answer of that key.

        Args:
            fetch: makes the answer; what it raises, all who wait for it get.
            oldest: takes no stored answer that is older, in seconds; 0 takes none.
        """
        response = await self._respond(key, fetch, keeps, oldest)
        self._heard(response.outcome)
        return response

    async def bypass(self, fetch: Fetch) -> Response:
        response = Response(await fetch(), Outcome.BYPASSED)
        self._heard(response.outcome)
        return response

    async def _respond(
        self, key: str, fetch: Fetch, keeps: Callable[[bytes], bool], oldest: float | None
    ) -> Response:
        if oldest == 0:
            return await self._fetched(key, "", fetch, keeps, Outcome.REFRESHED)
        # The look into the store is part of the flight: a hundred who ask at once cost one look, too.
        response, joined = await self._flights.run(key, lambda: self._lead_or_wait(key, fetch, keeps))
        if oldest is not None and response.age > oldest:
            return await self._fetched(key, "", fetch, keeps, Outcome.REFRESHED)
        if joined and response.outcome is Outcome.MISS:
            return Response(response.body, Outcome.JOINED)
        return response

    async def _lead_or_wait(self, key: str, fetch: Fetch, keeps: Callable[[bytes], bool]) -> Response:
        """Within this process, one at a time comes here for a key."""
        owner = uuid4().hex
        place, waited = await self._place(key, owner)
        if isinstance(place, Entry):
            return as_hit(place, Outcome.JOINED if waited else Outcome.HIT)
        if place is Place.WAITS:  # long enough, or the store is away
            return await self._fetched(key, owner, fetch, keeps, Outcome.MISS)
        async with self._leading(key, owner):
            return await self._fetched(key, owner, fetch, keeps, Outcome.MISS)

    async def _place(self, key: str, owner: str) -> tuple[Entry | Place, bool]:
        """The answer or the lead, once either is there, and whether that took waiting for another process."""
        end = time.monotonic() + self._times.patience
        pause, waited = self._times.first_look, False
        with contextlib.suppress(StoreAway):
            while (place := await self.store.claim(key, owner, self._times.lease)) is Place.WAITS:
                waited = True
                if time.monotonic() > end:
                    break
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, self._times.last_look)
            return place, waited
        return Place.WAITS, waited

    @asynccontextmanager
    async def _leading(self, key: str, owner: str) -> AsyncIterator[None]:
        """Holds the lease through the block, and lets it go after it, also when nothing was stored."""
        renewing = asyncio.create_task(self._renew(key, owner))
        try:
            yield
        finally:
            renewing.cancel()
            with contextlib.suppress(StoreAway):
                await self.store.release(key, owner)

    async def _renew(self, key: str, owner: str) -> None:
        held = True
        while held:
            await asyncio.sleep(self._times.lease / 3)
            with contextlib.suppress(StoreAway):
                held = await self.store.renew(key, owner, self._times.lease)

    async def _fetched(
        self, key: str, owner: str, fetch: Fetch, keeps: Callable[[bytes], bool], outcome: Outcome
    ) -> Response:
        body = await fetch()
        if not keeps(body):
            return Response(body, outcome)
        jitter = self._chance.uniform(1 - self._times.jitter, 1 + self._times.jitter)
        with contextlib.suppress(StoreAway):
            await self.store.fill(key, owner, Entry(body, time.time()), self._times.keep * jitter)
            return Response(body, outcome, stored=True)
        return Response(body, outcome)


def as_hit(entry: Entry, outcome: Outcome = Outcome.HIT) -> Response:
    return Response(entry.body, outcome, max(0.0, time.time() - entry.stored))
