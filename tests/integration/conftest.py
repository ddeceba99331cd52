"""A real Postgres for the run, and a database per test, cloned from a migrated template."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest

from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url
from prodigon_lib.stack.postgres import EmbeddedPostgres

UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def run_sql(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server; tests of one fault or another start their own."""
    folder = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(folder / "data", folder / "postgres.log", settings=UNSAFE_BUT_FAST)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """The name of a database that has every migration and no rows but theirs."""
    run_sql(postgres.url(), "CREATE DATABASE template_prodigon")
    upgrade(parse_database_url(postgres.url("template_prodigon")))
    return "template_prodigon"


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[DatabaseUrl]:
    """A database without a table."""
    yield from new_database(postgres, "template0")


@pytest.fixture
def database(postgres: EmbeddedPostgres, template: str) -> Iterator[DatabaseUrl]:
    """A migrated database of the test's own; gone afterwards."""
    yield from new_database(postgres, template)


def new_database(postgres: EmbeddedPostgres, template: str) -> Iterator[DatabaseUrl]:
    name = f"test_{uuid4().hex}"
    run_sql(postgres.url(), f"CREATE DATABASE {name} TEMPLATE {template}")
    yield parse_database_url(postgres.url(name))
    run_sql(postgres.url(), f"DROP DATABASE {name} WITH (FORCE)")
