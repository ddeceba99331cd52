"""The token signing key is rotated while two gateways serve, and no request fails."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from joserfc.jws import extract_compact

from prodigon_lib.core.principal import Role
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.signing_keys import SigningKeyRepository
from prodigon_lib.security import signing_keys
from prodigon_lib.security.accounts import Accounts, Origin, Terms
from prodigon_lib.security.composition import signing_keys as keys_of
from prodigon_lib.security.envelope import Envelope
from tests.polling import eventually

HERE = Origin("203.0.113.7")
PASSWORD = "tide-lantern-fig"  # pragma: allowlist secret


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """In seconds what else takes ten and more; the proportions stay."""
    monkeypatch.setattr(signing_keys, "READ_AGAIN_SECONDS", 1.0)
    monkeypatch.setattr(signing_keys, "SIGNS_AFTER_SECONDS", 2.0)


async def test_no_token_is_refused_while_keys_change(
    gateways: tuple[Accounts, Accounts], opened: Database, envelope: Envelope
) -> None:
    here, there = gateways
    await here.create("ada", PASSWORD, Role.LEARNER, HERE)
    tokens = await here.login("ada", PASSWORD, HERE)
    seen: set[str] = set()
    until = asyncio.Event()

    async def renews() -> None:
        nonlocal tokens
        while not until.is_set():
            for one, other in ((here, there), (there, here)):
                tokens = await one.refresh(tokens.refresh, HERE)
                seen.add(extract_compact(tokens.access.encode()).headers()["kid"])
                await other.authenticate(tokens.access)

    async def rotates() -> None:
        for _ in range(3):
            new = await keys_of(opened, envelope, Terms()).rotate()
            await eventually(lambda new=new: new in seen, within=60)
        until.set()

    await together(renews, rotates)
    assert len(await SigningKeyRepository(opened, Terms().login).believed()) == 4


async def together(*works: Callable[[], Awaitable[None]]) -> None:
    """The first that fails ends all."""
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work())  # type: ignore[arg-type]
