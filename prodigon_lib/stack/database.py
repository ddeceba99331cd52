"""The stack's database: found or made, and brought to the newest migration."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import asyncpg

from prodigon_lib.core.errors import SettingsError, StackError
from prodigon_lib.core.redaction import redact
from prodigon_lib.persistence.migrations import current_revision, newest_revision
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url
from prodigon_lib.stack.environment import base_environment

UNREACHABLE = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


async def prepare(url: str, maintenance: str, told: Callable[[int, signal.Signals], None]) -> None:
    """Return once the database at `url` is there and has the newest migration.

    Args:
        maintenance: a database on the same server, to make the other from when it is missing.
        told: hears of the process that migrates.

    Raises:
        StackError: the server is away or refuses; the message says what to do.
    """
    database = parse_database_url(url)
    if await found_revision(database, parse_database_url(maintenance)) != newest_revision():
        await migrate(url, told)


async def found_revision(database: DatabaseUrl, maintenance: DatabaseUrl) -> str | None:
    """The database's revision, `None` for an empty one; made when it is not there. Raises StackError."""
    try:
        return await current_revision(database)
    except asyncpg.InvalidCatalogNameError:
        await create(database, maintenance)
        return None
    except Exception as error:
        raise explained(error, database) from None


async def create(database: DatabaseUrl, maintenance: DatabaseUrl) -> None:
    if database.name == maintenance.name:
        raise StackError(f"DATABASE_URL: there is no database '{database.name}': `createdb {database.name}`")
    try:
        connection = await asyncpg.connect(maintenance.dsn, timeout=5)
        try:
            await connection.execute('CREATE DATABASE "{}"'.format(database.name.replace('"', '""')))
        finally:
            await connection.close()
    except asyncpg.DuplicateDatabaseError:
        pass
    except asyncpg.InsufficientPrivilegeError:
        raise StackError(
            f"DATABASE_URL: its user may not make the database '{database.name}' of this stack: "
            f"`createdb {database.name}` as one who may, or use the stack 'default'"
        ) from None
    except Exception as error:
        raise explained(error, maintenance) from None


async def migrate(url: str, told: Callable[[int, signal.Signals], None]) -> None:
    """In a process of its own: Alembic takes a second to load, and memory that the supervisor would keep."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "prodigon_lib.persistence.migrations"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**base_environment(), "DATABASE_URL": url},  # not an argument: anybody can list those
        cwd=os.sep,
    )
    told(process.pid, signal.SIGTERM)
    _, said = await process.communicate()
    if process.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise StackError(f"the migrations failed: {redact(lines[-1])}; `prodigon db upgrade` tries again")


def explained(error: Exception, database: DatabaseUrl) -> StackError:
    """What a failed connection means for whoever set `DATABASE_URL`."""
    where = database.shown
    if isinstance(error, SettingsError):
        return StackError(error.message)
    if isinstance(error, UNREACHABLE):
        why = getattr(error, "strerror", None) or str(error) or "no answer"
        return StackError(
            f"DATABASE_URL: no Postgres answers at {where} ({why}): "
            "start it, or unset DATABASE_URL to use the embedded one"
        )
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidPasswordError):
        return StackError(f"DATABASE_URL: {where} refused the login: check the user and the password")
    return StackError(f"DATABASE_URL: {where}: {redact(str(error)) or type(error).__name__}")
