"""The audit log in a real Postgres: what it keeps, and what it lets nobody change."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from prodigon_lib.core.errors import ValidationFailed
from prodigon_lib.core.ids import UserId
from prodigon_lib.persistence.audit import AuditRecord, AuditRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.audit import AuditEvent, AuditLog, Outcome

ADA, GRACE = UserId(uuid4()), UserId(uuid4())
NOW = datetime.now(UTC)


@pytest.fixture
async def repository(database: DatabaseUrl) -> AsyncIterator[AuditRepository]:
    opened = Database(database)
    yield AuditRepository(opened)
    await opened.close()


def record(minutes_ago: float = 0, **others: object) -> AuditRecord:
    about = {"event": "login", "outcome": "success", "actor": ADA, **others}
    return AuditRecord(uuid4(), NOW - timedelta(minutes=minutes_ago), **about)  # type: ignore[arg-type]


async def test_records_go_in_and_come_out_newest_first(repository: AuditRepository) -> None:
    log = AuditLog(repository)
    async with log.opened():
        log.record(AuditEvent.LOGIN, outcome=Outcome.FAILURE, target="ada\0", address="203.0.113.7")
        log.record(AuditEvent.LOGIN, outcome=Outcome.SUCCESS, actor=ADA, target="ada", request_id="r-1")
    second, first = (await repository.page(limit=10)).records
    assert (first.outcome, first.actor, first.target, first.address) == (
        "failure",
        None,
        "ada",
        "203.0.113.7",
    )
    assert (second.outcome, second.actor, second.request_id) == ("success", ADA, "r-1")


async def test_a_page_ends_where_the_next_begins_and_can_be_narrowed(repository: AuditRepository) -> None:
    records = [record(n, actor=GRACE if n % 2 else ADA) for n in range(5)]
    await repository.add(records)
    await repository.add(records)  # again, as after a fault: nothing is there twice
    first = await repository.page(limit=3)
    assert first.records == records[:3]
    second = await repository.page(limit=3, cursor=first.next_cursor)
    assert (second.records, second.next_cursor) == (records[3:], None)
    assert (await repository.page(limit=9, actor=GRACE)).records == records[1::2]
    assert (await repository.page(limit=9, event="logout")).records == []
    assert (await repository.page(limit=9, outcome="denied")).records == []
    with pytest.raises(ValidationFailed):
        await repository.page(limit=9, cursor="nonsense")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_log SET outcome = 'success'", "DELETE FROM audit_log", "TRUNCATE audit_log"],
)
async def test_no_statement_rewrites_it(
    repository: AuditRepository, database: DatabaseUrl, statement: str
) -> None:
    await repository.add([record(outcome="denied")])
    connection = await asyncpg.connect(database.dsn)
    try:
        with pytest.raises(asyncpg.RaiseError, match="audit_log stays"):
            await connection.execute(statement)
    finally:
        await connection.close()
    assert len((await repository.page(limit=9)).records) == 1


async def test_only_what_is_old_is_deleted(repository: AuditRepository) -> None:
    old, new = record(60 * 24 * 30), record(60 * 12)
    await repository.add([old, new])
    await repository.prune(0)  # a day stays, whatever is asked
    assert (await repository.page(limit=9)).records == [new]
