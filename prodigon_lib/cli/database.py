"""`prodigon db`: migrations of the database of `DATABASE_URL`, else of the default stack."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import PACKAGED_WORKSHOP, migrations_folder
from prodigon_lib.persistence.migrations import alembic_config, newest_revision, upgrade
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url
from prodigon_lib.stack import starter
from prodigon_lib.stack.address import EMBEDDED_NAME
from prodigon_lib.stack.database import found_revision
from prodigon_lib.stack.environment import found_settings
from prodigon_lib.stack.folder import open_folder, stack_folder
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.postgres import EmbeddedPostgres

database_commands = typer.Typer(help="Migrations of the database.", no_args_is_help=True)


@database_commands.command("upgrade")
def upgrade_database() -> None:
    """Bring the database of DATABASE_URL, else of the default stack, to the newest migration."""
    with database() as url:
        before = asyncio.run(found_revision(url, url))
        if before != newest_revision():
            upgrade(url)
        typer.echo(f"{url.shown} is at {newest_revision()}" + (f", was at {before}" if before else ""))


@database_commands.command("revision")
def new_revision(message: Annotated[str, typer.Option("-m", "--message", help="What it changes.")]) -> None:
    """Write a new migration: what the tables in the code have and the database does not."""
    if PACKAGED_WORKSHOP in migrations_folder().parents:
        raise StackError("migrations are written in a checkout of prodigon; this is an installed copy")
    from alembic import command

    with database() as url:
        if asyncio.run(found_revision(url, url)) != newest_revision():
            upgrade(url)
        number = f"{int(newest_revision()) + 1:04}"
        script = command.revision(alembic_config(url), message, autogenerate=True, rev_id=number)
    typer.echo(f"wrote {getattr(script, 'path', number)}; read it before you commit it")


@contextmanager
def database() -> Iterator[DatabaseUrl]:
    """The database to work on. The embedded server is started when it does not run, and stopped again."""
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
