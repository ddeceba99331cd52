"""Accounts in a real Postgres: what a login gives, how long it is good, and who may not have it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from prodigon_lib.core.errors import (
    AccountNotFound,
    Conflict,
    Forbidden,
    KeyNotFound,
    Unauthenticated,
    ValidationFailed,
)
from prodigon_lib.core.ids import DEFAULT_USER_ID, new_user_id
from prodigon_lib.core.principal import Principal, Role, Scope, scopes_of
from prodigon_lib.core.schemas.chat import SessionCreate
from prodigon_lib.persistence.accounts import ONE_AT_A_TIME, AccountPage, AccountRepository
from prodigon_lib.persistence.audit import AuditRepository
from prodigon_lib.persistence.chats import ChatRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.logins import LoginRepository
from prodigon_lib.persistence.usage import UsageRepository
from prodigon_lib.security.accounts import Accounts, Origin, Terms, Tokens
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.composition import build_accounts
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.passwords import Passwords
from tests.integration.security.conftest import quick_passwords
from tests.polling import eventually

HERE = Origin("203.0.113.7", "request-1")
PASSWORD = "tide-lantern-fig"  # pragma: allowlist secret
OTHER = "copper-meadow-nine"  # pragma: allowlist secret


async def ada(accounts: Accounts, role: Role = Role.LEARNER) -> Tokens:
    await accounts.create("ada", PASSWORD, role, HERE)
    return await accounts.login("ada", PASSWORD, HERE)


async def refused(accounts: Accounts, credential: str) -> bool:
    try:
        await accounts.authenticate(credential)
    except Unauthenticated:
        return True
    return False


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


async def test_a_login_waits_for_a_change_of_its_password(accounts: Accounts, opened: Database) -> None:
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
        await eventually(lambda: waiting_for_a_lock(opened))
    assert await beginning is None


async def waiting_for_a_lock(opened: Database) -> bool:
    waiting = "wait_event_type = 'Lock' AND datname = current_database()"
    async with opened.transaction() as db:
        return bool(await db.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {waiting}")))


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


async def test_a_name_is_taken_once(accounts: Accounts) -> None:
    made = await asyncio.gather(
        *(accounts.register("ada", PASSWORD, HERE) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, Conflict) for answer in made) == 9


async def test_registration_can_be_closed(opened: Database, envelope: Envelope, audit: AuditLog) -> None:
    closed = build_accounts(opened, envelope, audit, Terms(), passwords=quick_passwords())
    with pytest.raises(Forbidden, match="closed"):
        await closed.register("ada", PASSWORD, HERE)


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


async def test_a_disabled_account_has_no_login_and_no_key(accounts: Accounts) -> None:
    tokens = await ada(accounts)
    who = await accounts.authenticate(tokens.access)
    _, key = await accounts.create_key(who, HERE, name="sdk", scopes=frozenset({Scope.GENERATE}))
    await accounts.authenticate(key.text)
    operator = await boss(accounts)
    await accounts.change(operator, who.user, HERE, role=None, disabled=True)
    assert await refused(accounts, tokens.access)
    assert await refused(accounts, key.text)
    for attempt in (accounts.refresh(tokens.refresh, HERE), accounts.login("ada", PASSWORD, HERE)):
        with pytest.raises(Unauthenticated):
            await attempt
    await accounts.change(operator, who.user, HERE, role=None, disabled=False)
    assert not await refused(accounts, key.text)
    assert await refused(accounts, tokens.access)  # its login has ended
    await accounts.login("ada", PASSWORD, HERE)


async def boss(accounts: Accounts) -> Principal:
    await accounts.create("boss", PASSWORD, Role.OPERATOR, HERE)
    return await accounts.authenticate((await accounts.login("boss", PASSWORD, HERE)).access)


async def test_another_role_holds_for_tokens_that_are_out(accounts: Accounts) -> None:
    tokens = await ada(accounts)
    who = await accounts.authenticate(tokens.access)
    await accounts.change(await boss(accounts), who.user, HERE, role=Role.TEACHER, disabled=None)
    assert (await accounts.authenticate(tokens.access)).role is Role.TEACHER


async def test_an_operator_stays(accounts: Accounts) -> None:
    one = await boss(accounts)
    with pytest.raises(Conflict, match="last operator"):
        await accounts.change(one, one.user, HERE, role=Role.LEARNER, disabled=None)
    with pytest.raises(AccountNotFound):
        await accounts.change(one, new_user_id(), HERE, role=None, disabled=True)


async def test_two_operators_do_not_disable_each_other(accounts: Accounts, opened: Database) -> None:
    one = await boss(accounts)
    other = (await accounts.create("second", PASSWORD, Role.OPERATOR, HERE)).id
    async with opened.transaction() as db:  # held open: the first is disabled, and nobody else sees it yet
        await db.execute(ONE_AT_A_TIME)
        await db.execute(text("UPDATE users SET disabled = true WHERE id = :id"), {"id": one.user})
        second = asyncio.create_task(accounts.change(one, other, HERE, role=None, disabled=True))

        async def waits_or_is_done() -> bool:
            async with opened.transaction() as beside:
                waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                return second.done() or bool(await beside.scalar(text(waiting)))

        await eventually(waits_or_is_done)
        assert not second.done()
    with pytest.raises(Conflict, match="last operator"):
        await second


async def test_accounts_come_page_by_page(accounts: Accounts) -> None:
    for name in ("ada", "grace"):
        await accounts.register(name, PASSWORD, HERE)
    who = await boss(accounts)
    first = await accounts.page(who, limit=3)
    assert names_in(first) == ["boss", "grace", "ada"]
    last = await accounts.page(who, limit=3, cursor=first.next_cursor)
    assert ([use.account.id for use in last.accounts], last.next_cursor) == ([DEFAULT_USER_ID], None)


def names_in(page: AccountPage) -> list[str]:
    return [use.account.name for use in page.accounts]


async def test_a_teacher_sees_the_learners_who_may_log_in(accounts: Accounts) -> None:
    operator = await boss(accounts)
    for name, role in (("tina", Role.TEACHER), ("ada", Role.LEARNER), ("grace", Role.LEARNER)):
        await accounts.create(name, PASSWORD, role, HERE)
    await accounts.create("other", PASSWORD, Role.TEACHER, HERE)
    gone = await accounts.create("gone", PASSWORD, Role.LEARNER, HERE)
    await accounts.change(operator, gone.id, HERE, role=None, disabled=True)
    teacher = await accounts.authenticate((await accounts.login("tina", PASSWORD, HERE)).access)
    first = await accounts.page(teacher, limit=1)
    assert names_in(first) == ["grace"]
    last = await accounts.page(teacher, limit=1, cursor=first.next_cursor)
    assert (names_in(last), last.next_cursor) == (["ada"], None)
    everybody = names_in(await accounts.page(operator, limit=10))
    assert everybody == ["gone", "other", "grace", "ada", "tina", "boss", "default"]


async def test_an_operators_key_for_learners_finds_no_more_than_a_teachers(accounts: Accounts) -> None:
    operator = await boss(accounts)
    await accounts.register("ada", PASSWORD, HERE)
    _, key = await accounts.create_key(operator, HERE, name="class", scopes=frozenset({Scope.LEARNERS}))
    assert names_in(await accounts.page(await accounts.authenticate(key.text), limit=10)) == ["ada"]


async def test_a_page_says_how_much_each_uses_on_this_day(accounts: Accounts, opened: Database) -> None:
    ada = await accounts.register("ada", PASSWORD, HERE)
    grace = await accounts.register("grace", PASSWORD, HERE)
    await UsageRepository(opened).reserve(ada.id, 70, 100)
    async with opened.transaction() as db:
        before = text("INSERT INTO token_usage VALUES (:id, current_date - 9, 900)")
        await db.execute(before, [{"id": ada.id}, {"id": grace.id}])
    for _ in range(2):
        await ChatRepository(opened).create(grace.id, SessionCreate())
    page = await accounts.page(await boss(accounts), limit=10)
    found = {use.account.name: (use.tokens, use.chats) for use in page.accounts}
    assert found == {"boss": (0, 0), "grace": (0, 2), "ada": (70, 0), "default": (0, 0)}


async def test_a_key_is_good_for_its_scopes_until_it_is_revoked(
    gateways: tuple[Accounts, Accounts],
) -> None:
    here, there = gateways
    who = await here.authenticate((await ada(here)).access)
    made, key = await here.create_key(who, HERE, name="sdk", scopes=frozenset({Scope.GENERATE}))
    assert key.text not in repr(key)
    shown = await here.authenticate(key.text)
    assert (shown.user, shown.scopes, shown.key, shown.login) == (who.user, {Scope.GENERATE}, made.id, None)
    await there.authenticate(key.text)
    (listed,) = await here.keys(who)
    assert listed.last_used_at is not None
    await here.revoke_key(who, made.id, HERE)
    assert await here.keys(who) == []
    assert await refused(here, key.text)
    await eventually(lambda: refused(there, key.text))
    with pytest.raises(KeyNotFound):
        await here.revoke_key(who, made.id, HERE)


@pytest.mark.parametrize(("seconds_ago", "noted"), [(30, False), (90, True)])
async def test_a_keys_time_of_use_is_written_once_a_minute(
    gateways: tuple[Accounts, Accounts], opened: Database, seconds_ago: int, noted: bool
) -> None:
    here, there = gateways
    who = await here.authenticate((await ada(here)).access)
    _, key = await here.create_key(who, HERE, name="sdk", scopes=frozenset({Scope.JOBS}))
    async with opened.transaction() as db:
        await db.execute(
            text("UPDATE api_keys SET last_used_at = now() - make_interval(secs => :ago)"),
            {"ago": seconds_ago},
        )
    before = (await here.keys(who))[0].last_used_at
    await there.authenticate(key.text)
    assert ((await here.keys(who))[0].last_used_at != before) is noted


async def test_another_users_key_is_not_there(accounts: Accounts) -> None:
    who = await accounts.authenticate((await ada(accounts)).access)
    made, key = await accounts.create_key(who, HERE, name="sdk", scopes=frozenset({Scope.JOBS}))
    stranger = await boss(accounts)
    with pytest.raises(KeyNotFound):
        await accounts.revoke_key(stranger, made.id, HERE)
    assert await accounts.keys(stranger) == []
    assert not await refused(accounts, key.text)


@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.LEARNERS, Scope.ADMIN])
async def test_no_key_can_more_than_its_owner(accounts: Accounts, scope: Scope) -> None:
    who = await accounts.authenticate((await ada(accounts)).access)
    with pytest.raises(Forbidden, match=scope):
        await accounts.create_key(who, HERE, name="sdk", scopes=frozenset({Scope.JOBS, scope}))


async def test_a_key_loses_with_its_owners_role(accounts: Accounts) -> None:
    first = await boss(accounts)
    who = await accounts.authenticate((await ada(accounts, Role.OPERATOR)).access)
    _, key = await accounts.create_key(who, HERE, name="ci", scopes=frozenset({Scope.ADMIN, Scope.JOBS}))
    assert (await accounts.authenticate(key.text)).scopes == {Scope.ADMIN, Scope.JOBS}
    await accounts.change(first, who.user, HERE, role=Role.LEARNER, disabled=None)
    assert (await accounts.authenticate(key.text)).scopes == {Scope.JOBS}


@pytest.mark.parametrize(
    "credential", ["", "pdg_", "pdg_" + "A" * 22 + "_" + "A" * 43, "a.b.c", "é", "pdr_x"]
)
async def test_what_is_no_credential_is_refused(accounts: Accounts, credential: str) -> None:
    assert await refused(accounts, credential)


async def test_what_happened_stands_in_the_audit_log(accounts: Accounts, opened: Database) -> None:
    who = await accounts.authenticate((await ada(accounts)).access)
    with pytest.raises(Unauthenticated):
        await accounts.login("ada", OTHER, HERE)
    await accounts.logout(who, HERE)
    repository = AuditRepository(opened)

    async def all_there() -> bool:
        return len((await repository.page(limit=10)).records) == 4

    await eventually(all_there)
    records = (await repository.page(limit=10)).records
    assert {(record.event, record.outcome) for record in records} == {
        ("account.created", "success"),
        ("login", "success"),
        ("login", "failure"),
        ("logout", "success"),
    }
    assert {record.address for record in records} == {"203.0.113.7"}
