"""The audit log in Postgres: rows are added and read, and never changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from prodigon_lib.persistence.cursors import decode_cursor, encode_cursor
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import AuditRow


@dataclass(slots=True)
class AuditRecord:
    """What happened, as `security.audit` says it.

    Args:
        actor: whose credential it was; nobody's, where none was good.
        key_id: the API key, when it was one.
        times: how often it happened, one right after the other.
    """

    id: UUID
    at: datetime
    event: str
    outcome: str
    actor: UUID | None = None
    key_id: UUID | None = None
    target: str | None = None
    address: str | None = None
    request_id: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first. `next_cursor` is `None` on the last page."""

    records: list[AuditRecord]
    next_cursor: str | None


class AuditRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, records: Sequence[AuditRecord]) -> None:
        """Safe to repeat after a fault that left open whether they were written."""
        rows = [asdict(record) for record in records]
        async with self._database.transaction() as db:
            await db.execute(insert(AuditRow).values(rows).on_conflict_do_nothing())

    async def page(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        event: str | None = None,
        outcome: str | None = None,
        actor: UUID | None = None,
    ) -> AuditPage:
        """Those of this event, outcome and actor, where they are named.

        Raises:
            ValidationFailed: `cursor` is none that an earlier page gave.
        """
        named = {AuditRow.event: event, AuditRow.outcome: outcome, AuditRow.actor: actor}
        wanted = [column == value for column, value in named.items() if value is not None]
        if cursor is not None:
            wanted.append(tuple_(AuditRow.at, AuditRow.id) < tuple_(*decode_cursor(cursor)))
        newest = (
            select(AuditRow).where(*wanted).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit + 1)
        )
        async with self._database.transaction() as db:
            rows = list(await db.scalars(newest))
        last = rows[limit - 1] if len(rows) > limit else None
        return AuditPage(
            [record_of(row) for row in rows[:limit]], encode_cursor(last.at, last.id) if last else None
        )

    async def prune(self, days: float) -> None:
        """Delete what is older; the database keeps a day at least."""
        old = AuditRow.at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, max(1.0, days) * 86400)
        async with self._database.transaction() as db:
            await db.execute(delete(AuditRow).where(old))


def record_of(row: AuditRow) -> AuditRecord:
    return AuditRecord(**{name: getattr(row, name) for name in AuditRecord.__slots__})
