"""One connection. It takes a call at a time, and ends when it is told what it did not ask for."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any

from prodigon_lib.core.time_limits import Ticker
from prodigon_lib.transport.connections.answer import Answer

SURE = 65_536
"""Bytes of a request that TLS has surely sent when it says that nothing waits; of more it does not tell."""


class Connection(asyncio.Protocol):
    """Args: `on_finished` hears that a call is over, and whether another may come; `on_lost`, that it ended.

    Attributes:
        idle_since: when its last answer was whole, by the loop's clock, whenever that was read; the other
            side counts from there.
        used: it has served a call before; the other side may be about to close it.
    """

    def __init__(
        self,
        on_finished: Callable[["Connection", bool], None],
        on_lost: Callable[["Connection"], None],
        *,
        tls: bool = False,
    ) -> None:
        self._on_finished, self._on_lost, self._tls = on_finished, on_lost, tls
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._answer: Answer | None = None
        self._alive = False
        self._sent = 0
        self.idle_since = 0.0
        self.used = False

    @property
    def usable(self) -> bool:
        """What is written to it now would be sent."""
        return self._alive and not self._transport.is_closing()

    def call(self, request: bytes, *, between: float = inf, ticker: Ticker | None = None) -> Answer:
        """Sends a request; its answer is to be released, whatever comes of it."""
        self._answer = answer = Answer(self, self._loop, between, ticker)
        self._sent = len(request)
        if self.usable:
            self._transport.write(request)
        else:
            answer.lost()
        return answer

    def finished(self, *, again: bool) -> None:
        """Its answer was released."""
        assert self._answer is not None
        self.idle_since, self._answer = self._answer.ended_at, None
        again = again and self.usable and self._all_sent()
        self.used = True
        if not again:
            self.drop()
        self._on_finished(self, again)

    def drop(self) -> None:
        """At once: what is not sent yet may wait for somebody who will never read it."""
        self._alive = False
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        if self.usable:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self.usable:
            self._transport.resume_reading()

    def _all_sent(self) -> bool:
        """An answer may come before its request was heard; the rest of that would go before the next one."""
        if self._tls and self._sent > SURE:
            return False
        return not self._transport.get_write_buffer_size()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._alive = transport, True

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.drop()
        else:
            self._answer.feed(data)

    def eof_received(self) -> None:
        self._alive = False
        if self._answer is None:
            return
        if self._tls:  # nobody knows whether it was theirs, or somebody's between
            self._answer.lost()
        else:
            self._answer.closed()

    def connection_lost(self, error: Exception | None) -> None:
        self._alive = False
        if self._answer is not None:
            self._answer.lost()
        self._on_lost(self)
