"""One answer, as it comes: the parser tells it the parts, one task reads them."""

import asyncio
from collections.abc import AsyncGenerator
from math import inf
from typing import Protocol

import httptools

from prodigon_lib.core.time_limits import Ticker
from prodigon_lib.transport.connections.faults import ConnectionBroke

HEAD_LIMIT = 65_536
"""Bytes that may come before an answer's body, or after any part of it and before the next."""

AHEAD = 131_072
"""Bytes of a body that may wait for their reader. From there on nothing is read, and the sender feels it."""


class Line(Protocol):
    """The connection, as an answer sees it."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def finished(self, *, again: bool) -> None: ...


class Answer:
    """Its status and headers are there once `begin` returned; then `read` or `pieces`, then `release`.

    Args:
        between: seconds of silence that are borne while somebody could read; `inf` for any.

    Attributes:
        status: 0 until it has begun.
        headers: their names in small letters; of two with one name, the last.
        ended_at: by the loop's clock.
    """

    __slots__ = (
        "_ahead",
        "_between",
        "_fault",
        "_held",
        "_keep",
        "_line",
        "_loop",
        "_outside",
        "_parser",
        "_parts",
        "_paused",
        "_ticker",
        "_waiter",
        "begun",
        "end",
        "ended",
        "ended_at",
        "headers",
        "status",
    )

    def __init__(
        self, line: Line, loop: asyncio.AbstractEventLoop, between: float = inf, ticker: Ticker | None = None
    ) -> None:
        self._line, self._loop, self._between, self._ticker = line, loop, between, ticker
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._ahead: float = AHEAD
        self._held = 0
        self._outside = 0  # bytes of what frames the body, since its last part
        self._fault: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._keep = self._paused = False
        self.begun = self.ended = False
        self.ended_at = 0.0
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.end = inf
        if between != inf and ticker is not None:
            self.end = loop.time() + between
            ticker.add(self)

    @property
    def untouched(self) -> bool:
        """Nothing of it has come."""
        return not self._outside and not self.begun

    async def begin(self) -> None:
        """Returns when status and headers are there.

        Raises (this, `read` and `pieces`):
            ConnectionBroke: there will be no more, though there should be.
            TimeoutError: nothing came for `between` seconds.
        """
        while not self.begun:
            await self._news()

    async def read(self) -> bytes:
        """The whole body."""
        self._ahead = inf
        while not self.ended:
            await self._news()
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body, as it comes. What came before a fault is given before it is raised."""
        while self._parts or not self.ended:
            if not self._parts:
                await self._news()
                continue
            parts, self._parts, self._held = self._parts, [], 0
            yield parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self) -> None:
        """The connection serves the next call if all of this answer was read, and ends otherwise."""
        if self._parser is None:
            return
        self._parser = None  # it knows us, as we know it: nobody need look for such a ring
        if self._ticker is not None:
            self._ticker.running.discard(self)
        if self._paused:
            self._line.resume_reading()
        self._line.finished(again=self._keep)

    async def _news(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._paused:
            self._paused = False
            self._line.resume_reading()
            self._heard()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _heard(self) -> None:
        if self._between != inf:
            self.end = self._loop.time() + self._between

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the connection tells.

    def feed(self, data: bytes) -> None:
        if self._parser is None or self.ended:  # more than was asked for: what would the next call be told?
            self._keep = False
            return
        self._outside += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.fail(ConnectionBroke("what came is no answer in HTTP"))
            return
        if self._outside > HEAD_LIMIT and not self.ended:
            self.fail(ConnectionBroke("what is not the body has no end"))
            return
        if self._held <= self._ahead or self.ended:
            self._heard()
        else:
            self.end = inf  # not their silence, but ours
            if not self._paused:
                self._paused = True
                self._line.pause_reading()
        if self.begun:
            self._wake()

    def closed(self) -> None:
        """The other side will say no more. A body that says nothing of its length ends so."""
        if self.begun and not self._framed():
            self.ended = True
        self.lost()

    def lost(self) -> None:
        """The connection is no more."""
        self.fail(ConnectionBroke("the connection ended before the answer"))

    def fail(self, fault: Exception) -> None:
        self._keep = False
        if not self.ended and self._fault is None:
            self._fault = fault
        self._wake()

    def reach(self) -> None:
        self.fail(TimeoutError("nothing came in time"))

    def _framed(self) -> bool:
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    # What the parser tells.

    def on_message_begin(self) -> None:
        if self.ended:
            raise ValueError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.begun:  # a chunked body may end with some, too
            self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 100:
            raise ValueError("no status")
        if status < 200:  # it will be answered, says this one (RFC 9110, 15.2)
            self.headers.clear()
            return
        self.status, self.begun = status, True

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)
        self._held += len(part)
        self._outside = 0

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if self.begun:
            self.ended, self._keep = True, self._parser.should_keep_alive()
            self.ended_at = self._loop.time()
