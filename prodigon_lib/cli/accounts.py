"""`prodigon accounts`: accounts in the database of `DATABASE_URL`, else of the default stack.

Whoever can write to the database may make an operator: so a production system needs no password that it
starts with, and none that somebody forgets to change.
"""

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from prodigon_lib.cli.database import bring_up, database
from prodigon_lib.core.errors import StackError
from prodigon_lib.core.principal import Role
from prodigon_lib.core.schemas.accounts import AccountName
from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.security.envelope_keys import EnvelopeKeys
from prodigon_lib.stack.envelope_keys import kept_envelope_keys
from prodigon_lib.stack.folder import stack_folder
from prodigon_lib.workshop.terminal import say

if TYPE_CHECKING:
    from prodigon_lib.cli.account_keeper import AccountKeeper
    from prodigon_lib.persistence.url import DatabaseUrl

Done = TypeVar("Done")
PASSWORD_BYTES = 15

account_commands = typer.Typer(help="Accounts, and the first operator.", no_args_is_help=True)


@account_commands.callback()
def accounts() -> None:
    """Accounts, and the first operator."""


@account_commands.command("create")
def create_account(
    name: Annotated[str, typer.Argument(help="3 to 64 letters, digits and . _ @ + -")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.LEARNER,
) -> None:
    """Make an account; its password is asked for, or is the first line of a pipe."""
    name = account_name(name)
    password = asked_for() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    with database() as url:
        bring_up(url)
        made = with_keeper(url, lambda keeper: keeper.create(name, password, role))
    say(f"{made.name} is there, as {made.role}")


@account_commands.command("reset-password")
def reset_password(name: Annotated[str, typer.Argument(help="Of an account that has a password.")]) -> None:
    """Draw a new password for somebody who has lost theirs, and print it once; all their logins end."""
    name, password = account_name(name), secrets.token_urlsafe(PASSWORD_BYTES)
    with database() as url:
        bring_up(url)
        with_keeper(url, lambda keeper: keeper.reset(name, password))
    say(f"{name} has this new password, shown once, and no login any more", err=True)
    say(password)


@account_commands.command("rotate-keys")
def rotate_keys(
    at_once: Annotated[bool, typer.Option("--at-once", help="Believe no older key: one was stolen.")] = False,
) -> None:
    """Sign access tokens with a new key, and seal all of them under the newest of ENVELOPE_KEYS."""
    settings = load_settings(GatewaySettings)
    with database() as url:
        bring_up(url)
        keys, seconds = envelope_keys(settings), settings.access_token_seconds
        kid, sealed = with_keeper(url, lambda keeper: keeper.rotate(keys, seconds, at_once=at_once))
    say(f"the newest key is {kid}; {sealed} older were sealed anew")


def account_name(text: str) -> str:
    try:
        return TypeAdapter(AccountName).validate_python(text)
    except ValidationError:
        raise StackError(
            "a name has 3 to 64 letters, digits and . _ @ + -, a letter or digit first"
        ) from None


def asked_for() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def with_keeper(url: "DatabaseUrl", deed: "Callable[[AccountKeeper], Awaitable[Done]]") -> Done:
    """What `deed` gives, with a keeper of the accounts in that database."""
    from prodigon_lib.cli.account_keeper import AccountKeeper

    async def run() -> Done:
        async with AccountKeeper.at(url) as keeper:
            return await deed(keeper)

    return asyncio.run(run())


def envelope_keys(settings: GatewaySettings) -> EnvelopeKeys:
    """Those of the settings; without any, those that the default stack keeps."""
    if settings.envelope_keys is not None:
        return EnvelopeKeys.parse(settings.envelope_keys.get_secret_value())
    if settings.database_url is not None:
        raise StackError("ENVELOPE_KEYS must be set: the keys in that database are sealed under it")
    return EnvelopeKeys.parse(kept_envelope_keys(stack_folder("default")))
