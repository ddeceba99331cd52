"""`prodigon accounts`: the first operator, a password that was lost, and new keys to sign with."""

import asyncio

import pytest
from typer.testing import CliRunner

from prodigon_lib.cli.application import app
from prodigon_lib.core.errors import (
    AccountNotFound,
    Conflict,
    ProdigonError,
    SecretUnreadable,
    StackError,
    Unauthenticated,
    ValidationFailed,
)
from prodigon_lib.core.principal import Role
from prodigon_lib.persistence.accounts import AccountRepository, Credentials
from prodigon_lib.persistence.audit import AuditRecord, AuditRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.accounts import Accounts, Origin
from prodigon_lib.security.envelope_keys import draw_envelope_key
from tests.leaks import Watch

HERE = Origin("203.0.113.7")
PASSWORD = "tide-lantern-fig"  # pragma: allowlist secret


def create(monkeypatch: pytest.MonkeyPatch, database: DatabaseUrl, *arguments: str, password: str) -> str:
    return run(monkeypatch, database, "create", *arguments, typed=f"{password}\n")


def rotate(monkeypatch: pytest.MonkeyPatch, database: DatabaseUrl, keys: str | None, *more: str) -> str:
    monkeypatch.setenv("ENVELOPE_KEYS", keys or "")
    return run(monkeypatch, database, "rotate-keys", *more)


def run(monkeypatch: pytest.MonkeyPatch, database: DatabaseUrl, *arguments: str, typed: str = "") -> str:
    """What it wrote on standard output."""
    monkeypatch.setenv("DATABASE_URL", database.dsn)
    found = CliRunner().invoke(app, ["accounts", *arguments], input=typed)
    if isinstance(found.exception, ProdigonError):
        raise found.exception
    assert found.exit_code == 0
    return found.stdout


def test_keys_are_rotated_and_sealed_under_the_newest(
    database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = draw_envelope_key("old"), draw_envelope_key("new")
    assert "0 older" in rotate(monkeypatch, database, old)
    assert "1 older" in rotate(monkeypatch, database, f"{new},{old}")
    assert "0 older" in rotate(monkeypatch, database, new)  # the old one has gone
    with pytest.raises(SecretUnreadable):
        rotate(monkeypatch, database, old)
    rotate(monkeypatch, database, old, "--at-once")  # nothing older is left to be read
    assert {record.event for record in stored(database, "boss")[1]} == {"keys.rotated"}


def test_a_database_is_not_rotated_under_keys_of_a_stacks_own(
    database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StackError, match="ENVELOPE_KEYS"):
        rotate(monkeypatch, database, None)


def stored(database: DatabaseUrl, name: str) -> tuple[Credentials | None, list[AuditRecord]]:
    async def read() -> tuple[Credentials | None, list[AuditRecord]]:
        opened = Database(database)
        try:
            log = (await AuditRepository(opened).page(limit=10)).records
            return await AccountRepository(opened).credentials(name), log
        finally:
            await opened.close()

    return asyncio.run(read())


def test_an_operator_is_made_and_written_down(database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = create(monkeypatch, database, "Boss", "--role", "operator", password=PASSWORD)
    assert shown == "boss is there, as operator\n"
    found, log = stored(database, "boss")
    assert found is not None
    assert found.account.role is Role.OPERATOR
    assert [(record.event, record.target) for record in log] == [("account.created", "boss")]
    with pytest.raises(Conflict):
        create(monkeypatch, database, "boss", password=PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "kind"),
    [("a b", PASSWORD, StackError), ("boss", "short", ValidationFailed), ("boss", "", ValidationFailed)],
)
def test_what_is_no_name_or_no_password_is_told_so(
    database: DatabaseUrl,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    password: str,
    kind: type[ProdigonError],
) -> None:
    with pytest.raises(kind):
        create(monkeypatch, database, name, password=password)
    assert stored(database, "boss") == (None, [])


async def test_a_lost_password_is_replaced_and_every_login_ends(
    database: DatabaseUrl,
    monkeypatch: pytest.MonkeyPatch,
    accounts: Accounts,
    opened: Database,
    watch: Watch,
) -> None:
    ada, grace = [await accounts.create(name, PASSWORD, Role.LEARNER, HERE) for name in ("ada", "grace")]
    first, second = [await accounts.login("ada", PASSWORD, HERE) for _ in range(2)]
    others = await accounts.login("grace", PASSWORD, HERE)
    shown = await asyncio.to_thread(run, monkeypatch, database, "reset-password", "Ada")
    password = watch.keep_quiet_about(shown.removesuffix("\n"), "a password that was reset")
    assert len(password) == 20
    for attempt in (
        accounts.login("ada", PASSWORD, HERE),
        accounts.refresh(first.refresh, HERE),
        accounts.refresh(second.refresh, HERE),
    ):
        with pytest.raises(Unauthenticated):
            await attempt
    who = await accounts.authenticate((await accounts.login("ada", password, HERE)).access)
    assert who.user == ada.id
    for tokens in (
        await accounts.refresh(others.refresh, HERE),
        await accounts.login("grace", PASSWORD, HERE),
    ):
        assert (await accounts.authenticate(tokens.access)).user == grace.id
    log = (await AuditRepository(opened).page(limit=10, event="password.reset")).records
    assert [(record.target, record.outcome, record.actor) for record in log] == [("ada", "success", None)]
    assert password not in repr(log)


async def test_who_has_no_password_gets_none(
    database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, opened: Database
) -> None:
    await AccountRepository(opened).create_for_identity("https://login.example", "1", "ada")
    refusals = {"ada": Conflict, "default": Conflict, "grace": AccountNotFound, "a b": StackError}
    for name, kind in refusals.items():
        with pytest.raises(kind):
            await asyncio.to_thread(run, monkeypatch, database, "reset-password", name)
    assert (await AuditRepository(opened).page(limit=10)).records == []
