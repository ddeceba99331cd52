"""What each user has used of a day's tokens. A day is UTC's, by the clock of the database."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Date, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert

from prodigon_lib.core.ids import UserId
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import UsageRow

TODAY = cast(func.timezone("utc", func.clock_timestamp()), Date)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens that were set aside, on the day on which they count."""

    user: UserId
    day: date
    tokens: int
    at: datetime


class UsageRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, user: UserId, tokens: int, limit: int) -> Reservation | None:
        """Set tokens aside, or nothing, when there would be more than `limit` on this day.

        One statement looks and writes. Of two at once, the second waits for the row, and its condition is
        looked at again on what the first has left.
        """
        if tokens > limit:
            return None
        after = UsageRow.tokens + tokens
        statement = (
            insert(UsageRow)
            .values(user_id=user, day=TODAY, tokens=tokens)
            .on_conflict_do_update(
                index_elements=[UsageRow.user_id, UsageRow.day], set_={"tokens": after}, where=after <= limit
            )
            .returning(UsageRow.day, func.clock_timestamp())
        )
        async with self._database.transaction() as db:
            row = (await db.execute(statement)).one_or_none()
        return Reservation(user, row[0], tokens, row[1]) if row is not None else None

    async def settle(self, reservation: Reservation, used: int) -> None:
        """Put what was used in place of what was set aside."""
        statement = (
            update(UsageRow)
            .where(UsageRow.user_id == reservation.user, UsageRow.day == reservation.day)
            .values(tokens=UsageRow.tokens + (used - reservation.tokens))
        )
        async with self._database.transaction() as db:
            await db.execute(statement)

    async def today(self, user: UserId) -> int:
        """Tokens used, and set aside for what still runs."""
        mine = select(UsageRow.tokens).where(UsageRow.user_id == user, UsageRow.day == TODAY)
        async with self._database.transaction() as db:
            return await db.scalar(mine) or 0
