"""Who begins when many requests come at once.

A thousand that begin together are all half done when the first could have been answered: they meet their time
limits together, and nothing else gets a word in. In turns the first are answered while the last still wait,
and a pass of the event loop stays short.
"""

import asyncio
from collections import deque
from contextvars import Context

from prodigon_lib.core.deadline import remaining
from prodigon_lib.core.errors import RateLimited

FREELY = 64
"""Requests in flight up to which nobody asks for a turn."""
A_PASS = 16
"""Turns in one pass of the event loop."""
SHARE = 0.5
"""Of the time that a caller has left, how much may go by before its turn: the rest is for the work."""
PACE_SECONDS = 0.5
"""What the pace is measured over."""
RETRY_AFTER_SECONDS = 1.0


class Turns:
    """Those of one event loop's service, in the order in which they were asked for.

    Args:
        seconds: how long one may wait for its turn; less where its caller has less time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._begun = 0
        self._passing = False
        self._context = Context()
        self._pace: float | None = None
        """Turns a second while there were more waiting."""
        self._measured_since: float | None = None
        self._measured = 0

    async def take(self) -> None:
        """Returns when it is the caller's turn, whose deadline is the current one.

        Raises:
            RateLimited: so many wait that its turn would come too late, or it did not come in time.
        """
        loop = asyncio.get_running_loop()
        if not self._passing:
            self._go_on(loop)
        if self._begun < A_PASS and not self._waiting:
            self._begun += 1
            return
        left = remaining()
        seconds = self._seconds if left is None else min(self._seconds, left * SHARE)
        if self._pace is not None and len(self._waiting) > self._pace * seconds:
            raise too_many()
        turn = loop.create_future()
        self._waiting.append((loop.time() + seconds, turn))
        await turn

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._passing = True
        loop.call_soon(self._pass, loop, context=self._context)

    def _pass(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._begun = 0
        while self._waiting and self._begun < A_PASS:
            until, turn = self._waiting.popleft()
            if turn.done():  # its task was cancelled
                continue
            if now > until:
                turn.set_exception(too_many())
                continue
            turn.set_result(None)
            self._begun += 1
        self._measure(now)
        if self._begun:
            self._go_on(loop)
        else:
            self._passing = False

    def _measure(self, now: float) -> None:
        if not self._waiting:
            self._pace = self._measured_since = None
            return
        if self._measured_since is None:
            self._measured_since, self._measured = now, 0
        self._measured += self._begun
        if (past := now - self._measured_since) >= PACE_SECONDS:
            self._pace = self._measured / past
            self._measured_since, self._measured = now, 0


def too_many() -> RateLimited:
    return RateLimited("too many requests are being answered", retry_after=RETRY_AFTER_SECONDS)
