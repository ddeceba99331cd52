"""A look into the tables, for a lesson."""

from typing import Any

import asyncpg

from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.workshop.table import Table


async def query(url: str, statement: str, *arguments: Any) -> Table:
    """The rows that `statement` gives, in a transaction that may only read.

    Args:
        url: as `stack.database_url` has it.
        arguments: for `$1`, `$2` in the statement.
    """
    connection = await asyncpg.connect(parse_database_url(url).dsn)
    try:
        async with connection.transaction(readonly=True):
            prepared = await connection.prepare(statement)
            columns = [attribute.name for attribute in prepared.get_attributes()]
            return Table(columns, [tuple(row) for row in await prepared.fetch(*arguments)])
    finally:
        await connection.close()
