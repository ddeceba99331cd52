"""The pool of exercise 4.2: a small database in memory that counts.

It behaves as Postgres behind a pool does in all that the exercise is about. Who writes sees it, others see it
after the commit. A uniqueness that is checked at commit makes the commit itself fail. A connection is given
back as it is: a transaction left open in it goes on under whoever takes it next.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

PATIENCE = 1.0


class PoolTimeout(Exception):
    """No connection came free in time."""


class Conflict(Exception):
    """The commit failed: a note with this text is there already. Nothing of the transaction was kept."""


class GivenBack(Exception):
    """The connection was used after it had been given back."""


class Pool:
    """At most `size` connections. `committed` has the rows by table; `counts` what happened."""

    def __init__(self, size: int = 4, committed: Mapping[str, Sequence[str]] | None = None) -> None:
        self.size = size
        self.committed = {table: list(rows) for table, rows in (committed or {}).items()}
        self.counts: Counter[str] = Counter()
        self.out = 0
        self._places = asyncio.Semaphore(size)
        self._idle: list[list[tuple[str, str]]] = [[] for _ in range(size)]

    async def acquire(self) -> "Connection":
        """Raises `PoolTimeout`: all are out, and none came back."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._places.acquire()
        except TimeoutError:
            raise PoolTimeout(f"all {self.size} connections are out") from None
        self.counts["acquired"] += 1
        self.out += 1
        return Connection(self, self._idle.pop())

    def release(self, connection: "Connection") -> None:
        """Raises `GivenBack`: it was given back before."""
        pending = connection.end()
        self.counts["left open"] += bool(pending)
        self._idle.insert(0, pending)
        self.out -= 1
        self._places.release()


class Connection:
    """One of the pool's. Its transaction begins with its first write."""

    def __init__(self, pool: Pool, pending: list[tuple[str, str]]) -> None:
        self._pool, self._pending = pool, pending
        self._released = False

    async def insert(self, table: str, row: str) -> None:
        await self._round_trip()
        self._pending.append((table, row))

    async def rows(self, table: str) -> list[str]:
        """What is committed, and this transaction's own."""
        await self._round_trip()
        own = [row for place, row in self._pending if place == table]
        return [*self._pool.committed.get(table, []), *own]

    async def each(self, table: str) -> AsyncIterator[str]:
        """The rows one by one, fetched as they are asked for: the connection is in use until the last."""
        for row in await self.rows(table):
            await self._round_trip()
            yield row

    async def commit(self) -> None:
        """Raises `Conflict`."""
        await self._round_trip()
        writes, known = self._taken(), set(self._pool.committed.get("notes", []))
        if any(table == "notes" and row in known for table, row in writes):
            self._pool.counts["conflicts"] += 1
            raise Conflict("a note with this text is there already")
        for table, row in writes:
            self._pool.committed.setdefault(table, []).append(row)
        self._pool.counts["commits"] += 1

    async def rollback(self) -> None:
        await self._round_trip()
        self._taken()
        self._pool.counts["rollbacks"] += 1

    def end(self) -> list[tuple[str, str]]:
        """For the pool: what is still open in it."""
        self._check()
        self._released = True
        return self._pending

    def _taken(self) -> list[tuple[str, str]]:
        writes = list(self._pending)
        self._pending.clear()
        return writes

    async def _round_trip(self) -> None:
        self._check()
        await asyncio.sleep(0)
        self._check()

    def _check(self) -> None:
        if self._released:
            raise GivenBack("this connection was given back already")
