"""API keys in a real Postgres: what each may, and until when."""

import pytest
from sqlalchemy import text

from prodigon_lib.core.errors import (
    Forbidden,
    KeyNotFound,
)
from prodigon_lib.core.principal import Role, Scope
from prodigon_lib.persistence.database import Database
from prodigon_lib.security.accounts import Accounts
from tests.integration.security.people import HERE, ada, boss, refused
from tests.polling import eventually


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
