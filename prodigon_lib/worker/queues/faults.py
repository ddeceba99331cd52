"""asyncpg's faults as ours."""

import asyncpg

from prodigon_lib.core.errors import ProdigonError, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.persistence.states import AWAY, QUERY_CANCELLED, UNDEFINED_TABLE

FAULTS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a statement, or the way to the database, can fail with."""

LOST = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def queue_error(error: BaseException) -> ProdigonError | None:
    """What a caller is told of a fault of Postgres or of the way to it; `None` for a fault of ours."""
    state = str(getattr(error, "sqlstate", None) or "")
    if isinstance(error, TimeoutError) or state == QUERY_CANCELLED:
        return UpstreamTimeout("the database took too long", retry_after=1)
    if state == UNDEFINED_TABLE:
        return UpstreamUnavailable("the database has no tables yet: run `prodigon db upgrade`")
    if isinstance(error, LOST) or state[:2] in AWAY:
        return UpstreamUnavailable("the database is away", retry_after=1)
    return None
