"""Accounts in a real Postgres: who has one, what operators may do to it, and what is written down."""

import asyncio

import pytest
from sqlalchemy import text

from prodigon_lib.core.errors import (
    AccountNotFound,
    Conflict,
    Forbidden,
    Unauthenticated,
)
from prodigon_lib.core.ids import DEFAULT_USER_ID, new_user_id
from prodigon_lib.core.principal import Role, Scope
from prodigon_lib.core.schemas.chat import SessionCreate
from prodigon_lib.persistence.accounts import ONE_AT_A_TIME, AccountPage
from prodigon_lib.persistence.audit import AuditRepository
from prodigon_lib.persistence.chats import ChatRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.usage import UsageRepository
from prodigon_lib.security.accounts import Accounts, Terms
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.composition import build_accounts
from prodigon_lib.security.envelope import Envelope
from tests.integration.security.conftest import quick_passwords
from tests.integration.security.people import HERE, OTHER, PASSWORD, ada, boss, refused
from tests.polling import eventually


async def test_a_name_is_taken_once(accounts: Accounts) -> None:
    made = await asyncio.gather(
        *(accounts.register("ada", PASSWORD, HERE) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, Conflict) for answer in made) == 9


async def test_registration_can_be_closed(opened: Database, envelope: Envelope, audit: AuditLog) -> None:
    closed = build_accounts(opened, envelope, audit, Terms(), passwords=quick_passwords())
    with pytest.raises(Forbidden, match="closed"):
        await closed.register("ada", PASSWORD, HERE)


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
