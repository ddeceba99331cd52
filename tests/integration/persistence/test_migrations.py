"""The migrations: from nothing to the newest and back, and in step with the tables."""

import asyncio

import asyncpg
from alembic import command

from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.persistence.migrations import (
    alembic_config,
    current_revision,
    downgrade,
    newest_revision,
    upgrade,
)
from prodigon_lib.persistence.url import DatabaseUrl


def rows(database: DatabaseUrl, query: str) -> list[tuple[object, ...]]:
    async def run() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(database.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(run())


TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"


def test_up_and_down_again(empty_database: DatabaseUrl) -> None:
    assert asyncio.run(current_revision(empty_database)) is None
    upgrade(empty_database)
    assert asyncio.run(current_revision(empty_database)) == newest_revision()
    downgrade(empty_database)
    assert rows(empty_database, TABLES) == [("alembic_version",)]
    upgrade(empty_database)
    assert len(rows(empty_database, TABLES)) == 15


def test_migrations_and_tables_agree(database: DatabaseUrl) -> None:
    command.check(alembic_config(database))  # raises when a migration is missing


def test_a_second_upgrade_changes_nothing(database: DatabaseUrl) -> None:
    before = rows(database, "SELECT id, name, created_at FROM users")
    upgrade(database)
    assert rows(database, "SELECT id, name, created_at FROM users") == before


def test_the_default_user_is_there(database: DatabaseUrl) -> None:
    assert rows(database, "SELECT id, name FROM users") == [(DEFAULT_USER_ID, "default")]
