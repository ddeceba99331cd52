"""Alembic's entry: async, on the database that the caller put into the configuration, else `DATABASE_URL`."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from prodigon_lib.persistence.tables import Table
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url


def database_url() -> DatabaseUrl:
    return context.config.attributes.get("database_url") or parse_database_url(os.environ["DATABASE_URL"])


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Table.metadata, compare_server_default=True)
    with context.begin_transaction():
        # Two services may start at once: the second waits here, then finds nothing left to do.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('prodigon migrations'))")
        context.run_migrations()


async def run() -> None:
    url = database_url()
    engine = create_async_engine(url.sqlalchemy, connect_args=url.connect_args, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await engine.dispose()


if context.is_offline_mode():
    context.configure(url=database_url().sqlalchemy, target_metadata=Table.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(run())
