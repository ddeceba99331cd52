"""`python -m services.migrate`: safe beside another, after a newer one, and in front of a service."""

import asyncio
import os
import subprocess
import sys

import asyncpg

from prodigon_lib.persistence.migrations import current_revision, newest_revision
from prodigon_lib.persistence.url import DatabaseUrl
from tests.dockerfiles import ROOT
from tests.integration.conftest import run_sql
from tests.polling import eventually

AT_ONCE = 3


def begin(url: str | None, *command: str) -> subprocess.Popen[str]:
    environment = {name: os.environ[name] for name in ("PATH", "PRODIGON_HOME")}
    return subprocess.Popen(
        [sys.executable, "-m", "services.migrate", *command],
        cwd=ROOT,
        env=environment | ({"DATABASE_URL": url} if url else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(url: str | None, *command: str) -> subprocess.CompletedProcess[str]:
    process = begin(url, *command)
    said, complained = process.communicate(timeout=60)
    return subprocess.CompletedProcess(command, process.returncode, said, complained)


def revision(database: DatabaseUrl) -> str | None:
    return asyncio.run(current_revision(database))


async def test_several_may_start_at_once(empty_database: DatabaseUrl) -> None:
    """They meet at the lock, which we hold until all of them wait there."""
    holder = await asyncpg.connect(empty_database.dsn)
    lock = "SELECT pg_advisory_lock(hashtext('prodigon migrations'))"
    await holder.execute(lock)
    processes = [begin(empty_database.dsn) for _ in range(AT_ONCE)]
    try:
        await eventually(lambda: all_wait(holder), within=60)
    finally:
        await holder.close()
    said = await asyncio.to_thread(lambda: [process.communicate(timeout=60) for process in processes])
    assert [process.returncode for process in processes] == [0] * AT_ONCE, said
    assert await current_revision(empty_database) == newest_revision()


async def all_wait(connection: asyncpg.Connection) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return await connection.fetchval(waiting) == AT_ONCE


def test_what_follows_runs_when_the_database_is_ready(empty_database: DatabaseUrl) -> None:
    done = run(empty_database.dsn, "echo", "served")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "served")
    assert revision(empty_database) == newest_revision()


def test_a_newer_database_is_left_as_it_is(database: DatabaseUrl) -> None:
    run_sql(database.dsn, "UPDATE alembic_version SET version_num = '9999'")
    done = run(database.dsn, "echo", "served")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "served")
    assert "the database is newer than this code" in done.stdout
    assert revision(database) == "9999"


def test_nothing_follows_where_it_may_not_migrate(empty_database: DatabaseUrl) -> None:
    run_sql(empty_database.dsn, "CREATE ROLE reader LOGIN")
    try:
        done = run(empty_database.dsn.replace("postgres@", "reader@"), "echo", "served")
    finally:
        run_sql(empty_database.dsn, "DROP ROLE reader")
    assert done.returncode == 1
    assert "served" not in done.stdout
    (line,) = done.stderr.splitlines()
    assert "permission denied" in line


def test_without_an_address_it_says_so() -> None:
    done = run(None)
    assert (done.returncode, done.stderr) == (1, "migrations: DATABASE_URL must be set\n")
