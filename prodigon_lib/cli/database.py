"""`prodigon db`: migrations of the database of `DATABASE_URL`, else of the default stack.

The drivers and Alembic are imported where they are used: the other commands should not wait for them.
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import PACKAGED_WORKSHOP, migrations_folder
from prodigon_lib.stack import starter
from prodigon_lib.stack.address import EMBEDDED_NAME
from prodigon_lib.stack.environment import found_settings
from prodigon_lib.stack.folder import open_folder, stack_folder
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.workshop.terminal import say

if TYPE_CHECKING:
    from prodigon_lib.persistence.url import DatabaseUrl

database_commands = typer.Typer(help="Migrations of the database.", no_args_is_help=True)


@database_commands.command("upgrade")
def upgrade_database() -> None:
    """Bring the database of DATABASE_URL, else of the default stack, to the newest migration."""
    with database() as url:
        before, now = bring_up(url)
        say(f"{url.shown} is at {now}" + (f", was at {before}" if before not in (None, now) else ""))


@database_commands.command("revision")
def new_revision(message: Annotated[str, typer.Option("-m", "--message", help="What it changes.")]) -> None:
    """Write a new migration: what the tables in the code have and the database does not."""
    if PACKAGED_WORKSHOP in migrations_folder().parents:
        raise StackError("migrations are written in a checkout of prodigon; this is an installed copy")
    from alembic import command

    from prodigon_lib.persistence.migrations import alembic_config

    with database() as url:
        _, now = bring_up(url)
        number = f"{int(now) + 1:04}"
        script = command.revision(alembic_config(url), message, autogenerate=True, rev_id=number)
    say(f"wrote {getattr(script, 'path', number)}; read it before you commit it")


@contextmanager
def database() -> Iterator["DatabaseUrl"]:
    """The database to work on. The embedded server is started when it does not run, and stopped again."""
    from prodigon_lib.persistence.url import parse_database_url
    from prodigon_lib.stack.database import found_revision

    folder = stack_folder("default")
    if named := found_settings({}).get("DATABASE_URL"):
        yield parse_database_url(named)
        return
    if running := starter.look(folder):
        yield parse_database_url(running["facts"]["database"])
        return
    open_folder(folder)
    with folder.starting, folder.running as lock:
        guardian = Guardian(lock, folder.log("supervisor"))
        server = EmbeddedPostgres(folder.postgres, folder.log("postgres"))
        try:
            server.launch(lambda pid: guardian.add(pid, signal.SIGINT))
            server.wait_ready()
            url = parse_database_url(server.url(EMBEDDED_NAME))
            asyncio.run(found_revision(url, parse_database_url(server.url())))  # makes it when it is new
            yield url
        finally:
            server.stop()
            guardian.close()


def bring_up(url: "DatabaseUrl") -> tuple[str | None, str]:
    """Upgrade the database when it is due; its revision before and after. Raises StackError."""
    from prodigon_lib.persistence.migrations import newest_revision, upgrade
    from prodigon_lib.stack.database import found_revision

    before = asyncio.run(found_revision(url, url))
    if before != newest_revision():
        upgrade(url)
    return before, newest_revision()
