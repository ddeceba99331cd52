"""What was looked up a moment ago: so that not every request costs a round trip to Postgres."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

SECONDS = 5.0
"""How long a gateway may go on with what another one has ended."""
MOST = 10_000


class Recall(Generic[Key, Value]):
    """Keeps what was found for some seconds; what was not found is never kept, so nobody can fill it."""

    def __init__(
        self, *, seconds: float = SECONDS, most: int = MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: dict[Key, tuple[float, Value]] = {}
        self._age = 0

    async def get(self, key: Key, look_up: Callable[[], Awaitable[Value | None]]) -> Value | None:
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        age, until = self._age, self._clock() + self._seconds  # from before: what is found may end meanwhile
        found = await look_up()
        if found is None:
            self._kept.pop(key, None)
        elif age == self._age:
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (until, found)
        return found

    def clear(self) -> None:
        """Forget all, and what is being looked up too: this gateway changed something."""
        self._kept.clear()
        self._age += 1
