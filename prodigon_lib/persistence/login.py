"""Connections to Postgres under the login as it is now: one that was changed meanwhile is read again."""

from typing import Any

import asyncpg

from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url

REFUSED = (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)


async def connect(url: DatabaseUrl, *_: object, **options: Any) -> asyncpg.Connection:
    """A connection of asyncpg's, which takes `options`. A login that is refused gives way to another, if any.

    Raises: as `asyncpg.connect`.
    """
    if url.secret is None:
        return await asyncpg.connect(url.dsn, **options)
    given = url.secret.now
    try:
        return await asyncpg.connect(parse_database_url(given).dsn, **options)
    except REFUSED:
        other = await url.secret.other_than(given)
        if other is None:
            raise
    return await asyncpg.connect(parse_database_url(other).dsn, **options)
