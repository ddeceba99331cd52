"""What the audit log keeps, merges and loses; a fake stands for the table."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.core.ids import UserId
from prodigon_lib.persistence.audit import AuditRecord, AuditRepository
from prodigon_lib.security.audit import AuditEvent, AuditLog, Outcome
from tests.polling import eventually

SOMEBODY = UserId(uuid4())


class Table(AuditRepository):
    """Keeps what it is given, unless it is away."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.fault: Exception | None = None

    async def add(self, records: Sequence[AuditRecord]) -> None:
        if self.fault is not None:
            raise self.fault
        self.records += [replace(record) for record in records]

    def times(self, event: AuditEvent) -> int:
        return sum(record.times for record in self.records if record.event == event)


def wrong_password(log: AuditLog, *, name: str = "ada", request_id: str = "r") -> None:
    log.record(
        AuditEvent.LOGIN, outcome=Outcome.FAILURE, target=name, address="203.0.113.7", request_id=request_id
    )


async def test_a_record_is_written_at_once_and_says_all() -> None:
    table = Table()
    log = AuditLog(table)
    async with log.opened():
        log.record(
            AuditEvent.KEY_CREATED,
            outcome=Outcome.SUCCESS,
            actor=SOMEBODY,
            target="key",
            address="::1",
            request_id="r-1",
        )
        await eventually(lambda: table.records)
    (record,) = table.records
    assert (record.event, record.outcome, record.actor) == ("key.created", "success", SOMEBODY)
    assert (record.target, record.address, record.request_id, record.times) == ("key", "::1", "r-1", 1)


async def test_alike_failures_in_a_row_are_one_record_with_their_number() -> None:
    table = Table()
    log = AuditLog(table)
    for number in range(1000):  # nothing is written yet
        wrong_password(log, request_id=f"r-{number}")
    wrong_password(log, name="grace")
    async with log.opened():
        await eventually(lambda: len(table.records) == 2)
    assert [(record.target, record.times) for record in table.records] == [("ada", 1000), ("grace", 1)]


async def test_each_success_is_a_record_of_its_own() -> None:
    table = Table()
    log = AuditLog(table)
    for number in range(3):
        log.record(AuditEvent.LOGIN, outcome=Outcome.SUCCESS, actor=SOMEBODY, request_id=f"r-{number}")
    async with log.opened():
        await eventually(lambda: len(table.records) == 3)


async def test_a_full_log_loses_and_says_how_many() -> None:
    table, lost = Table(), []
    log = AuditLog(table, most=5, lost=lost.append)
    for number in range(12):
        wrong_password(log, name=f"name-{number}")
    assert sum(lost) == 7
    async with log.opened():
        await eventually(lambda: table.times(AuditEvent.LOGIN) == 5)
    assert table.times(AuditEvent.LOST) == 7


async def test_what_was_recorded_while_the_table_was_away_is_written_later() -> None:
    table = Table()
    table.fault = UpstreamUnavailable("the database is away")
    log = AuditLog(table)
    async with log.opened():
        wrong_password(log)
        wrong_password(log, name="grace")
        table.fault = None
        await eventually(lambda: table.times(AuditEvent.LOGIN) == 2)


async def test_the_end_writes_what_waits() -> None:
    table = Table()
    log = AuditLog(table)
    async with log.opened():
        wrong_password(log)
    assert table.times(AuditEvent.LOGIN) == 1


async def test_the_end_does_not_wait_for_ever() -> None:
    table, lost = Table(), []
    table.fault = UpstreamUnavailable("the database is away")
    log = AuditLog(table, lost=lost.append)
    async with log.opened():
        wrong_password(log)
        wrong_password(log)
    assert sum(lost) == 2


async def test_a_row_that_no_table_takes_takes_no_other_along() -> None:
    table, lost = Table(), []
    log = AuditLog(table, lost=lost.append)
    async with log.opened():
        table.fault = ValueError("a fault of ours")
        wrong_password(log)
        await eventually(lambda: sum(lost) == 1)
        table.fault = None
        wrong_password(log)
        await eventually(lambda: table.times(AuditEvent.LOGIN) == 1)


async def test_what_a_caller_wrote_fits_the_table() -> None:
    table = Table()
    log = AuditLog(table)
    async with log.opened():
        wrong_password(log, name="\0a\ud800" + "x" * 1000)
        await eventually(lambda: table.records)
    assert table.records[0].target == "a?" + "x" * 198
