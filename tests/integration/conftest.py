"""A real Postgres for the run, and a database per test, cloned from a migrated template."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url
from prodigon_lib.stack.postgres import EmbeddedPostgres
from tests.integration.redis_server import RedisServer, redis_of_its_own

UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def run_sql(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@contextmanager
def server_of_its_own(settings: Mapping[str, str] = UNSAFE_BUT_FAST) -> Iterator[EmbeddedPostgres]:
    """A running server, gone at the end of the block.

    Its folder is not below pytest's: another run that begins would close that one's parent to Postgres' user.
    """
    folder = Path(tempfile.mkdtemp(prefix="prodigon-test-"))
    server = EmbeddedPostgres(folder / "data", folder / "postgres.log", settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running server; tests of one fault or another start their own."""
    with server_of_its_own() as server:
        yield server


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


@pytest.fixture(scope="session")
def redis_of_the_run() -> Iterator[RedisServer]:
    """A running Redis; tests of one fault or another start their own, with `redis_of_its_own`."""
    with redis_of_its_own() as server:
        yield server


@pytest.fixture
def redis_server(redis_of_the_run: RedisServer) -> RedisServer:
    """A running Redis with nothing in it."""
    redis_of_the_run.empty()
    return redis_of_the_run
