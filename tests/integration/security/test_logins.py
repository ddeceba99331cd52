"""Logins in a real Postgres: what one gives, how long it is good, and who may not have it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from prodigon_lib.core.errors import (
    Unauthenticated,
    ValidationFailed,
)
from prodigon_lib.core.principal import Role, scopes_of
from prodigon_lib.persistence.accounts import AccountRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.logins import LoginRepository
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.accounts import Accounts, Terms, Tokens
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.composition import build_accounts
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.passwords import Passwords
from tests.integration.locks import waits_for_a_lock
from tests.integration.security.conftest import quick_passwords
from tests.integration.security.people import HERE, OTHER, PASSWORD, ada, refused
from tests.polling import eventually


async def test_a_login_says_who_calls(accounts: Accounts) -> None:
    account = await accounts.register("ada", PASSWORD, HERE)
    tokens = await accounts.login("ada", PASSWORD, HERE)
    who = await accounts.authenticate(tokens.access)
    assert (who.user, who.role, who.scopes) == (account.id, Role.LEARNER, scopes_of(Role.LEARNER))
    assert await accounts.me(who) == account
    assert tokens.access not in repr(tokens)
    assert tokens.refresh not in repr(tokens)


@pytest.mark.parametrize(("name", "password"), [("ada", OTHER), ("grace", PASSWORD), ("default", PASSWORD)])
async def test_a_wrong_name_and_a_wrong_password_look_the_same(
    accounts: Accounts, name: str, password: str
) -> None:
    await accounts.register("ada", PASSWORD, HERE)
    with pytest.raises(Unauthenticated) as caught:
        await accounts.login(name, password, HERE)
    assert (caught.value.code, caught.value.message) == (
        "UNAUTHENTICATED",
        "the name or the password is wrong",
    )


async def test_a_login_does_not_outlive_a_reset_that_came_while_it_was_checked(
    accounts: Accounts, opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = (await accounts.register("ada", PASSWORD, HERE)).id
    other = await hash_of(OTHER)

    async def reset() -> None:
        await AccountRepository(opened).reset_hash("ada", other)
        await LoginRepository(opened).revoke_all(user)

    while_checking(monkeypatch, reset)
    with pytest.raises(Unauthenticated):
        await accounts.login("ada", PASSWORD, HERE)
    assert (await accounts.login("ada", OTHER, HERE)).access


async def test_a_hash_that_is_made_anew_while_it_was_checked_keeps_nobody_out(
    accounts: Accounts, opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accounts.register("ada", PASSWORD, HERE)
    again = await hash_of(PASSWORD)
    while_checking(monkeypatch, lambda: AccountRepository(opened).reset_hash("ada", again))
    assert (await accounts.login("ada", PASSWORD, HERE)).access


def while_checking(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[object]]) -> None:
    """Once, after a password was found right or wrong, and before anything follows from it."""
    verify = Passwords.verify

    async def verify_late(self: Passwords, hash: str | None, password: str) -> bool:
        right = await verify(self, hash, password)
        monkeypatch.setattr(Passwords, "verify", verify)
        await happens()
        return right

    monkeypatch.setattr(Passwords, "verify", verify_late)


async def hash_of(password: str) -> str:
    passwords = quick_passwords()
    hash = await passwords.hash(password)
    passwords.close()
    return hash


async def test_a_login_waits_for_a_change_of_its_password(
    accounts: Accounts, opened: Database, database: DatabaseUrl
) -> None:
    """That has begun, and is not there for others to see yet."""
    user = (await accounts.register("ada", PASSWORD, HERE)).id
    logins = LoginRepository(opened)
    found = await AccountRepository(opened).credentials_of(user)
    assert found is not None
    assert found.password_hash is not None
    async with opened.transaction() as db:
        await db.execute(text("UPDATE credentials SET password_hash = 'other'"))
        beginning = asyncio.create_task(
            logins.begin_with(found.password_hash, user, b"token", timedelta(hours=1))
        )
        await eventually(lambda: waits_for_a_lock(database))
    assert await beginning is None


async def test_a_name_that_is_none_costs_a_hash_too(
    opened: Database, envelope: Envelope, audit: AuditLog
) -> None:
    passwords = Looked()
    accounts = build_accounts(opened, envelope, audit, Terms(), passwords=passwords)
    await accounts.create("ada", PASSWORD, Role.LEARNER, HERE)
    for name in ("ada", "grace"):
        with pytest.raises(Unauthenticated):
            await accounts.login(name, OTHER, HERE)
    known, unknown = passwords.looked_at
    assert known.rsplit("$", 2)[0] == unknown.rsplit("$", 2)[0]  # the same parameters: the same time
    assert len(known) == len(unknown)
    passwords.close()


class Looked(Passwords):
    """Keeps which hashes a password was compared with."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, passes=1)
        self.looked_at: list[str] = []

    def _matches(self, hash: str, password: str) -> bool:
        self.looked_at.append(hash)
        return super()._matches(hash, password)


async def test_a_refresh_token_is_good_once(accounts: Accounts) -> None:
    first = await ada(accounts)
    second = await accounts.refresh(first.refresh, HERE)
    assert second.refresh != first.refresh
    who = await accounts.authenticate(second.access)
    assert who.login == (await accounts.authenticate(first.access)).login


async def test_a_token_that_is_used_twice_ends_the_login(gateways: tuple[Accounts, Accounts]) -> None:
    here, there = gateways
    stolen = await ada(here)
    thief = await there.refresh(stolen.refresh, HERE)
    with pytest.raises(Unauthenticated):
        await here.refresh(stolen.refresh, HERE)
    with pytest.raises(Unauthenticated):
        await there.refresh(thief.refresh, HERE)
    assert await refused(here, thief.access)
    await eventually(lambda: refused(there, thief.access))  # it had not looked it up yet, or a moment ago


async def test_of_many_who_renew_at_once_one_is_let_through(gateways: tuple[Accounts, Accounts]) -> None:
    tokens = await ada(gateways[0])
    answers = await asyncio.gather(
        *(gateways[n % 2].refresh(tokens.refresh, HERE) for n in range(20)), return_exceptions=True
    )
    assert sum(isinstance(answer, Tokens) for answer in answers) == 1
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == 19


async def test_a_logout_ends_the_login_here_at_once_and_elsewhere_soon(
    gateways: tuple[Accounts, Accounts],
) -> None:
    here, there = gateways
    tokens = await ada(here)
    other = await here.login("ada", PASSWORD, HERE)
    who = await here.authenticate(tokens.access)
    await there.authenticate(tokens.access)
    await here.logout(who, HERE)
    assert await refused(here, tokens.access)
    await eventually(lambda: refused(there, tokens.access))
    assert not await refused(here, other.access)
    with pytest.raises(Unauthenticated):
        await here.refresh(tokens.refresh, HERE)


async def test_another_password_ends_all_other_logins(accounts: Accounts) -> None:
    elsewhere = await ada(accounts)
    here = await accounts.login("ada", PASSWORD, HERE)
    who = await accounts.authenticate(here.access)
    with pytest.raises(ValidationFailed, match="current_password"):
        await accounts.change_password(who, OTHER, OTHER, HERE)
    await accounts.change_password(who, PASSWORD, OTHER, HERE)
    assert await refused(accounts, elsewhere.access)
    assert not await refused(accounts, here.access)
    with pytest.raises(Unauthenticated):
        await accounts.login("ada", PASSWORD, HERE)
    await accounts.login("ada", OTHER, HERE)


async def test_new_parameters_hash_anew_at_the_next_login(
    opened: Database, envelope: Envelope, audit: AuditLog, accounts: Accounts
) -> None:
    await ada(accounts)
    before = await stored_hash(opened)
    later = build_accounts(opened, envelope, audit, Terms(), passwords=Passwords(memory_kib=128, passes=1))
    await later.login("ada", PASSWORD, HERE)
    after = await stored_hash(opened)
    assert "m=64," in before
    assert "m=128," in after
    await later.login("ada", PASSWORD, HERE)
    assert await stored_hash(opened) == after


async def stored_hash(opened: Database) -> str:
    async with opened.transaction() as db:
        hash: str = await db.scalar(text("SELECT password_hash FROM credentials"))
    return hash


@pytest.mark.parametrize(
    "credential", ["", "pdg_", "pdg_" + "A" * 22 + "_" + "A" * 43, "a.b.c", "é", "pdr_x"]
)
async def test_what_is_no_credential_is_refused(accounts: Accounts, credential: str) -> None:
    assert await refused(accounts, credential)
