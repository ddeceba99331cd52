"""Who guesses passwords is slowed down, exactly; and keeps nobody out for ever."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from prodigon_lib.core.errors import RateLimited, Unauthenticated
from prodigon_lib.core.principal import Role
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.throttles import ThrottleRepository
from prodigon_lib.security.accounts import Accounts, Origin, Tokens
from prodigon_lib.security.lockout import ADDRESS, NAME, PAIR, Lockout

HOME = Origin("203.0.113.7")
PASSWORD = "tide-lantern-fig"  # pragma: allowlist secret
WRONG = "copper-meadow-nine"  # pragma: allowlist secret


def machine(number: int) -> Origin:
    return Origin(f"198.51.100.{number}")


async def guess(accounts: Accounts, origin: Origin, name: str = "ada", password: str = WRONG) -> object:
    try:
        return await accounts.login(name, password, origin)
    except (Unauthenticated, RateLimited) as error:
        return error


@pytest.fixture(autouse=True)
def long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait ends by itself while a slow machine runs the test."""
    for name, backoff in (("PAIR", PAIR), ("NAME", NAME), ("ADDRESS", ADDRESS)):
        monkeypatch.setattr(f"prodigon_lib.security.lockout.{name}", replace(backoff, first=60))


@pytest.fixture
async def lockout(opened: Database) -> Lockout:
    return Lockout(ThrottleRepository(opened))


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_of_many_guesses_at_once_exactly_the_free_ones_are_looked_at(
    gateways: tuple[Accounts, Accounts], name: str
) -> None:
    await gateways[0].create("ada", PASSWORD, Role.LEARNER, HOME)
    answers = await asyncio.gather(*(guess(gateways[n % 2], HOME, name) for n in range(60)))
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == PAIR.free
    refused = [answer for answer in answers if isinstance(answer, RateLimited)]
    assert len(refused) == 60 - PAIR.free
    assert all(answer.retry_after and 0 < answer.retry_after <= 60 for answer in refused)


async def test_from_many_addresses_a_names_guesses_are_counted_together(accounts: Accounts) -> None:
    answers = [await guess(accounts, machine(number)) for number in range(NAME.free + 3)]
    assert [type(answer) for answer in answers] == [Unauthenticated] * NAME.free + [RateLimited] * 3


async def test_from_one_address_the_guesses_at_all_names_are_counted_together(lockout: Lockout) -> None:
    for number in range(ADDRESS.free):
        await lockout.attempt(f"name-{number}", HOME.address)
    with pytest.raises(RateLimited):
        await lockout.attempt("one-more", HOME.address)
    await lockout.attempt("one-more", machine(1).address)


async def test_each_wait_is_twice_the_one_before_up_to_the_cap(lockout: Lockout, opened: Database) -> None:
    waits = []
    for _ in range(PAIR.free + 5):
        await lockout.attempt("ada", HOME.address)
        async with opened.transaction() as db:
            waits.append(round(await db.scalar(text(LONGEST)) or 0))
            await db.execute(text("UPDATE login_throttles SET blocked_until = now(), last_at = now()"))
    assert waits == [0] * (PAIR.free - 1) + [60, 120, 240, 480, PAIR.cap, PAIR.cap]


LONGEST = "SELECT extract(epoch FROM max(blocked_until - last_at)) FROM login_throttles"


async def test_what_is_refused_makes_no_wait_longer(lockout: Lockout) -> None:
    async def wait() -> float:
        try:
            await lockout.attempt("ada", HOME.address)
        except RateLimited as error:
            return error.retry_after or 0
        return 0

    waits = [await wait() for _ in range(PAIR.free + 20)]
    assert waits[: PAIR.free] == [0] * PAIR.free
    assert max(waits) <= 60


async def test_the_right_password_takes_its_attempt_back(accounts: Accounts) -> None:
    await accounts.create("ada", PASSWORD, Role.LEARNER, HOME)
    for _ in range(PAIR.free + NAME.free):
        assert isinstance(await guess(accounts, HOME, password=PASSWORD), Tokens)


async def test_guesses_from_elsewhere_do_not_keep_the_owner_out(accounts: Accounts) -> None:
    await accounts.create("ada", PASSWORD, Role.LEARNER, HOME)
    assert isinstance(await guess(accounts, HOME, password=PASSWORD), Tokens)
    for number in range(NAME.free + 5):
        last = await guess(accounts, machine(number))
    assert isinstance(last, RateLimited)
    assert isinstance(await guess(accounts, HOME, password=PASSWORD), Tokens)
    for _ in range(PAIR.free):
        await guess(accounts, HOME)
    assert isinstance(await guess(accounts, HOME, password=PASSWORD), RateLimited)  # their own guesses count


async def test_failures_are_forgotten_with_time(lockout: Lockout, opened: Database) -> None:
    for _ in range(PAIR.free):
        await lockout.attempt("ada", HOME.address)
    async with opened.transaction() as db:
        past = "last_at = last_at - interval '6 hours', blocked_until = blocked_until - interval '6 hours'"
        await db.execute(text(f"UPDATE login_throttles SET {past}"))
    for _ in range(PAIR.free):
        await lockout.attempt("ada", HOME.address)
    with pytest.raises(RateLimited):
        await lockout.attempt("ada", HOME.address)


async def test_what_says_nothing_any_more_is_deleted(lockout: Lockout, opened: Database) -> None:
    await lockout.succeeded(await lockout.attempt("ada", HOME.address))
    await lockout.attempt("grace", HOME.address)
    await ThrottleRepository(opened).prune(timedelta())
    async with opened.transaction() as db:
        assert await db.scalar(text("SELECT count(*) FROM login_throttles")) == 1  # ada is known from there
