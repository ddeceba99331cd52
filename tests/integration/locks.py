"""Whether somebody waits for a lock in Postgres: so a test knows that two transactions met."""

import asyncpg

from prodigon_lib.persistence.url import DatabaseUrl


async def waits_for_a_lock(database: DatabaseUrl) -> bool:
    """Of the connections to that database, any."""
    connection = await asyncpg.connect(database.dsn)
    try:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"
        return bool(await connection.fetchval(query, database.name))
    finally:
        await connection.close()
