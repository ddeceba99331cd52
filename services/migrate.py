"""Brings the database of DATABASE_URL to the newest migration, then runs a command in its own place, if any.

python -m services.migrate [python -m services.serve gateway --port 8000]

It waits for a Postgres that is still starting. Two at once do no harm: the second waits for the lock of the
first, then finds nothing left to do. A database that is newer than this code is left as it is: during a
roll-out, and after one that was taken back, old code runs on the new tables.
"""

import asyncio
import logging
import os
import sys
import time

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.logging import configure_logging, get_logger
from prodigon_lib.core.settings import DatabaseSettings, load_settings
from prodigon_lib.persistence.migrations import current_revision, known_revisions, newest_revision, upgrade
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url
from services.termination import end_when_told

STARTING = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)
PATIENCE = 60.0
"""Seconds; whoever runs the container starts it again."""
REST = 0.5

logger = get_logger("migrations")


def migrate(patience: float = PATIENCE) -> str | None:
    """`None` when the database has all that this code needs; else why not, in a line."""
    try:
        settings = load_settings(DatabaseSettings)
        if settings.database_url is None:
            return "DATABASE_URL must be set"
        url = parse_database_url(settings.database_url.get_secret_value())
    except SettingsError as error:
        return error.message
    configure_logging("migrations", settings)
    try:
        before = asyncio.run(revision_of(url, patience))
        return bring_up(url, before)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        said = str(error.__cause__ or error).strip() or type(error).__name__
        return f"DATABASE_URL: {url.shown}: {said.splitlines()[0]}"


async def revision_of(url: DatabaseUrl, patience: float) -> str | None:
    """The database's revision, as soon as it answers."""
    end = time.monotonic() + patience
    while True:
        try:
            return await current_revision(url)
        except STARTING as error:
            if time.monotonic() > end:
                raise
            logger.info("waiting for the database", database=url.shown, reason=str(error))
        await asyncio.sleep(REST)


def bring_up(url: DatabaseUrl, before: str | None) -> str | None:
    if before is not None and before not in known_revisions():
        logger.warning("the database is newer than this code", database=url.shown, revision=before)
        return None
    if before != newest_revision():
        logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of each plugin that it has
        upgrade(url)
        logger.info("migrated", database=url.shown, before=before, revision=newest_revision())
    return None


def main() -> int:
    end_when_told()
    if (problem := migrate()) is not None:
        print(f"migrations: {problem}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    if command := sys.argv[1:]:
        os.execvp(command[0], command)  # noqa: S606 (what the image runs, in this process's place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
