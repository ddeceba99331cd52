"""Transactions on one Postgres, whose faults come out as errors of ours.

database = Database(parse_database_url(url))
async with database.transaction() as session:
    await session.execute(...)
await database.close()
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.pool import AsyncAdaptedQueuePool

from prodigon_lib.core.deadline import allowed
from prodigon_lib.core.errors import ProdigonError, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.persistence.engine import create_engine, create_sessions
from prodigon_lib.persistence.states import AWAY, QUERY_CANCELLED, UNDEFINED_TABLE
from prodigon_lib.persistence.url import DatabaseUrl


class Database:
    """One database and its pool of connections. It connects when first used, so it may be away at the start.

    Args:
        url: `None` when none was set; every transaction then fails with a line that says so.
        seconds: how long one transaction may take.
    """

    def __init__(self, url: DatabaseUrl | None, *, pool_size: int = 10, seconds: float = 10.0) -> None:
        self.engine: AsyncEngine | None = create_engine(url, pool_size=pool_size) if url else None
        self._sessions = create_sessions(self.engine) if self.engine else None
        self._seconds = seconds

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block, and rolls back when the block fails.

        Raises:
            UpstreamUnavailable: Postgres is away, full, or has no tables.
            UpstreamTimeout: it took too long.
        """
        if self._sessions is None:
            raise UpstreamUnavailable("the database is away: DATABASE_URL is not set")
        try:
            async with asyncio.timeout(allowed(self._seconds)), self._sessions.begin() as session:
                yield session
        except (OSError, PoolTimeout, DBAPIError) as error:
            problem = database_error(error)
            if problem is None:
                raise
            raise problem from error

    @property
    def connections(self) -> tuple[int, int]:
        """Connections that are open, and how many of them are lent out."""
        if self.engine is None:
            return 0, 0
        pool = self.engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        lent = pool.checkedout()
        return lent + pool.checkedin(), lent

    async def check(self) -> None:
        """Returns when Postgres answers; for `/health/ready`."""
        async with self.transaction() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        if self.engine is not None:
            await self.engine.dispose()


def database_error(error: Exception) -> ProdigonError | None:
    """What a caller is told of a fault of Postgres or of the way to it; `None` for a fault of ours."""
    if isinstance(error, TimeoutError):
        return UpstreamTimeout("the database took too long")
    if isinstance(error, OSError | PoolTimeout | InterfaceError):
        return UpstreamUnavailable("the database is away", retry_after=1)
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    if state == UNDEFINED_TABLE:
        return UpstreamUnavailable("the database has no tables yet: run `prodigon db upgrade`")
    if state == QUERY_CANCELLED:
        return UpstreamTimeout("the database took too long")
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return UpstreamUnavailable("the database is away", retry_after=1) if lost or state[:2] in AWAY else None
