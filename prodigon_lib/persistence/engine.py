"""The async engine and its sessions; built by a service's composition root, never at import."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from prodigon_lib.persistence.login import connect
from prodigon_lib.persistence.url import DatabaseUrl

Sessions = async_sessionmaker[AsyncSession]


def create_engine(url: DatabaseUrl, *, pool_size: int = 10, connect_seconds: float = 5.0) -> AsyncEngine:
    """An engine whose pool drops a connection that a restarted Postgres has cut.

    Args:
        pool_size: connections kept and lent at most; a caller beyond waits five seconds, then fails.
    """
    return create_async_engine(
        url.sqlalchemy,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        async_creator=partial(connect, url, timeout=connect_seconds, command_timeout=30),
    )


def create_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False)
