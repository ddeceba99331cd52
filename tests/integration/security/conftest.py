"""Accounts on a real Postgres, as two gateways have them, with passwords that are quick to hash."""

from collections.abc import AsyncIterator

import pytest

from prodigon_lib.persistence.audit import AuditRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.accounts import Accounts, Terms
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.composition import build_accounts
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.envelope_keys import EnvelopeKeys, draw_envelope_key
from prodigon_lib.security.passwords import Passwords


@pytest.fixture
async def opened(database: DatabaseUrl) -> AsyncIterator[Database]:
    opened = Database(database)
    yield opened
    await opened.close()


@pytest.fixture
def envelope() -> Envelope:
    return Envelope.of(EnvelopeKeys.parse(draw_envelope_key("test")))


@pytest.fixture
async def audit(opened: Database) -> AsyncIterator[AuditLog]:
    log = AuditLog(AuditRepository(opened))
    async with log.opened():
        yield log


def quick_passwords() -> Passwords:
    return Passwords(memory_kib=64, passes=1)


@pytest.fixture
async def gateways(
    database: DatabaseUrl, opened: Database, envelope: Envelope, audit: AuditLog
) -> AsyncIterator[tuple[Accounts, Accounts]]:
    """Two, each with connections of its own."""
    other = Database(database)
    terms = Terms(open_registration=True)
    one, two = (
        build_accounts(at, envelope, audit, terms, passwords=quick_passwords()) for at in (opened, other)
    )
    async with one.opened(), two.opened():
        yield one, two
    await other.close()


@pytest.fixture
def accounts(gateways: tuple[Accounts, Accounts]) -> Accounts:
    return gateways[0]
