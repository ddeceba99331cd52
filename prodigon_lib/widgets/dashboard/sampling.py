"""Looks again and again, as long as somebody watches, and remembers the last minutes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Protocol

from prodigon_lib.widgets.dashboard.observer import Point

EVERY_SECONDS = 2.0
LINGER_SECONDS = 20.0
"""Whoever looks at another tab and comes back finds no hole in the plots."""

KEPT = 150
"""Points: five minutes."""


class Looks(Protocol):
    """What an `Observer` does."""

    def begin(self) -> None: ...

    async def look(self) -> Point: ...


class Sampling:
    """One look serves all who follow. With nobody left for a while it rests, and the plots have a gap."""

    def __init__(
        self, observer: Looks, *, every: float = EVERY_SECONDS, linger: float = LINGER_SECONDS
    ) -> None:
        self._observer, self._every, self._linger = observer, every, linger
        self._points: deque[Point] = deque(maxlen=KEPT)
        self._followers: set[asyncio.Queue[Point | Exception]] = set()
        self._task: asyncio.Task[None] | None = None
        self._rest: asyncio.TimerHandle | None = None

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """First the `history`, then each new `point`."""
        heard: asyncio.Queue[Point | Exception] = asyncio.Queue()
        self._followers.add(heard)
        if self._rest is not None:
            self._rest.cancel()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield {"history": list(self._points), "every": self._every}
            while True:
                point = await heard.get()
                if isinstance(point, Exception):
                    raise point
                yield {"point": point}
        finally:
            self._followers.discard(heard)
            if not self._followers:
                self._rest = asyncio.get_running_loop().call_later(self._linger, self.close)

    def close(self) -> None:
        """Rest, until somebody follows."""
        if self._rest is not None:
            self._rest.cancel()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        self._observer.begin()
        try:
            while True:
                point = await self._observer.look()
                self._points.append(point)
                self._tell(point)
                await asyncio.sleep(self._every)
        except Exception as error:
            self._task = None
            self._tell(error)

    def _tell(self, point: Point | Exception) -> None:
        for follower in self._followers:
            follower.put_nowait(point)
