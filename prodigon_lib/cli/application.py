"""Puts the commands together, and turns every foreseeable fault into one line."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from prodigon_lib.cli.accounts import account_commands
from prodigon_lib.cli.database import database_commands
from prodigon_lib.cli.doctor import doctor
from prodigon_lib.cli.lab import lab
from prodigon_lib.cli.panels import panels
from prodigon_lib.cli.system import down, status, up
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.version import library_version
from prodigon_lib.stack.faults import explain
from prodigon_lib.workshop.commands import register
from prodigon_lib.workshop.terminal import say

app = typer.Typer(
    name="prodigon",
    help="A production AI system on your own machine, to run, measure, break and secure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(
    options_metavar="[DIR] [OPTIONS OF JUPYTERLAB]",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(lab)
app.command("app")(panels)
app.command()(up)
app.command()(status)
app.command()(down)
app.command()(doctor)
register(app)
app.add_typer(database_commands, name="db")
app.add_typer(account_commands, name="accounts")


def show_version(wanted: bool) -> None:
    if wanted:
        say(f"prodigon {library_version()}")
        raise typer.Exit


@app.callback()
def prodigon(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Say which version this is."),
    ] = False,
) -> None:
    """A production AI system on your own machine, to run, measure, break and secure."""


def main() -> None:
    """The entry point of the command: exits with 0, or with 1 and one line on what to do."""
    try:
        app()
    except ProdigonError as error:
        fail(error.message)
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        fail(explain(error, Path(error.filename or Path.cwd())))


def fail(message: str) -> NoReturn:
    say(f"prodigon: {message}", err=True)
    sys.exit(1)
