"""The connections of one client: those that wait for a call, by address, and how many there may be."""

import asyncio
from collections import deque
from collections.abc import Mapping
from functools import partial
from math import inf

from prodigon_lib.core.time_limits import Ticker, ticker_of
from prodigon_lib.transport.connections.answer import Answer
from prodigon_lib.transport.connections.connection import Connection
from prodigon_lib.transport.connections.dial import dial
from prodigon_lib.transport.connections.door import Door
from prodigon_lib.transport.connections.faults import ConnectionBroke, NobodyListens, StaleConnection
from prodigon_lib.transport.connections.names import Name
from prodigon_lib.transport.connections.origin import Origin, origin_of

LIMIT = 1000

HARMLESS = frozenset({"GET", "OPTIONS", "PUT", "DELETE"})
"""What may be said twice (RFC 9110, 9.2.2)."""

BODILESS = frozenset({"GET", "OPTIONS", "DELETE"})
"""Any other says so when it has no body."""

LAST_PASSES = 10

LATER = 0.01
"""Seconds: a timer may come a moment early, by the loop's clock."""


class Stock:
    """The idle connections to one address.

    Args:
        seconds: that one is kept.
    """

    def __init__(self, origin: Origin, seconds: float) -> None:
        self.origin, self._seconds = origin, seconds
        self._idle: deque[Connection] = deque()
        self._now = asyncio.get_running_loop().time

    @property
    def ends(self) -> float:
        """When the first has been idle for too long, by the loop's clock; `inf` where there is none."""
        return self._idle[0].idle_since + self._seconds if self._idle else inf

    def put(self, connection: Connection) -> None:
        self._idle.append(connection)

    def take(self) -> Connection | None:
        """The one that was used last, so that the rest may go."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                if self._now() - connection.idle_since <= self._seconds:
                    return connection
                connection.drop()
        return None

    def sweep(self) -> None:
        """Ends those that have been idle for too long; the last used stand last, or nearly so."""
        while self.ends <= self._now():
            self._idle.popleft().drop()


class Pool:
    """Gives each call a connection of its own.

    Args:
        connect_seconds: for one connection.
        idle_seconds: how long one is kept that no call uses.
        limit: of connections in use or being made; further calls wait, in their order.
        ticker: looks after silences; the event loop's own by default.
    """

    def __init__(
        self,
        *,
        connect_seconds: float,
        idle_seconds: float,
        limit: int = LIMIT,
        ticker: Ticker | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connect_seconds, self._idle_seconds = connect_seconds, idle_seconds
        self._ticker = ticker or ticker_of(self._loop)
        self._room = asyncio.Semaphore(limit)
        self._places: dict[str, tuple[Stock, Door]] = {}
        self._names: list[Name] = []
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    async def ask(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        between: float = inf,
        fresh: bool = False,
    ) -> Answer:
        """An answer that has begun; to be released.

        A call that may be made twice is made twice where the other side has closed an idle connection just
        as we were about to use it. The second goes over a new one: who closes one closes many, and we have
        heard of the first alone.

        Args:
            method: any but HEAD, whose answers only seem to have a body.
            url: of the service; `path` follows it.
            fresh: over a new connection, as after one that broke.

        Raises:
            NobodyListens: no connection.
            ConnectionBroke: it ended, or spoke no HTTP, before the answer began.
            StaleConnection: it ended so, and had been idle before.
            TimeoutError: nothing came for `between` seconds.
            ValueError: the path or a header has a line break in it, or it is HEAD.
        """
        if method == "HEAD":
            raise ValueError("HEAD is not spoken here")
        stock, door = self._places.get(url) or self._place(url)
        length = None if body is None and method in BODILESS else len(body or b"")
        request = stock.origin.head(method, path, headers, length) + (body or b"")
        again, stale = method in HARMLESS, None
        while True:
            try:
                connection = await self._connection(stock, door, fresh=fresh)
            except NobodyListens as error:
                if stale is None:
                    raise
                raise ConnectionBroke("it ended, and there was no other") from error  # it may have been heard
            used = connection.used
            answer = connection.call(request, between=between, ticker=self._ticker)
            try:
                await answer.begin()
                return answer
            except ConnectionBroke as error:
                answer.release()
                if not (used and answer.untouched):
                    raise
                stale = StaleConnection("an idle connection ended as it was used")
                if not again:
                    raise stale from error
                again, fresh = False, True
            except BaseException:
                answer.release()
                raise

    async def close(self) -> None:
        """Ends all of them; a call that runs meets a broken connection."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for name in self._names:
            name.close()
        for connection in list(self._open):
            connection.drop()
        for _ in range(LAST_PASSES):  # of the event loop, in which they end
            if not self._open:
                break
            await asyncio.sleep(0)

    def _place(self, url: str) -> tuple[Stock, Door]:
        stock = Stock(origin_of(url), self._idle_seconds)
        name = Name(stock.origin.host, stock.origin.port)
        self._names.append(name)
        connect = partial(self._connect, stock, name)
        door = Door(stock.origin.authority, connect, stock.take, self._room, self._connect_seconds)
        self._places[url] = stock, door
        return stock, door

    async def _connection(self, stock: Stock, door: Door, *, fresh: bool) -> Connection:
        """One that has taken room. Nobody overtakes who waits for that."""
        if not fresh and not self._room.locked() and (idle := stock.take()) is not None:
            await self._room.acquire()
            return idle
        connection = await door.pass_through(fresh=fresh)
        if not connection.usable:
            connection.drop()
            self._room.release()
            raise NobodyListens("it ended as it was made")
        return connection

    async def _connect(self, stock: Stock, name: Name) -> Connection:
        if self._closed:
            raise NobodyListens("the pool is closed")
        finished = partial(self._finished, stock)
        connection = Connection(finished, self._open.discard, tls=stock.origin.tls)
        self._open.add(connection)
        try:
            await dial(stock.origin, name, connection)
        except BaseException:
            self._open.discard(connection)
            raise
        if self._closed:
            connection.drop()
        return connection

    def _finished(self, stock: Stock, connection: Connection, again: bool) -> None:
        self._room.release()
        if again:
            stock.put(connection)
            if self._sweeper is None:
                self._sweeper = self._loop.call_at(stock.ends + LATER, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        stocks = [stock for stock, _ in self._places.values()]
        for stock in stocks:
            stock.sweep()
        if (soonest := min(stock.ends for stock in stocks)) != inf:
            self._sweeper = self._loop.call_at(soonest + LATER, self._sweep)
