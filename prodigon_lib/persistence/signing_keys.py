"""Token signing keys, sealed: which there are, and for how long each is believed."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import SigningKeyRow

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('prodigon signing keys'))")
"""Two gateways that start, or rotate, at once make one key and not two."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """Args: `age` is by the database's clock, which all gateways share."""

    kid: str
    age: timedelta
    sealed: bytes = field(repr=False)


class SigningKeyRepository:
    """Args: `kept` is how long a retired key is believed: as long as the last token that it signed lives."""

    def __init__(self, database: Database, kept: timedelta) -> None:
        self._database, self._kept = database, kept

    async def believed(self) -> list[SealedKey]:
        """Newest first."""
        async with self._database.transaction() as db:
            return await self._believed(db)

    async def add(self, kid: str, sealed: bytes, *, older_than: timedelta) -> list[SealedKey]:
        """Add that key, unless there is a younger one than `older_than`; what is believed then."""
        async with self._database.transaction() as db:
            await db.execute(ONE_AT_A_TIME)
            newest = next(iter(await self._believed(db)), None)
            if newest is None or newest.age >= older_than:
                await self._retire(db)
                await db.execute(insert(SigningKeyRow).values(kid=kid, sealed=sealed))
            return await self._believed(db)

    async def replace_all(self, kid: str, sealed: bytes) -> list[SealedKey]:
        """That key only: no token by another is believed any more."""
        async with self._database.transaction() as db:
            await db.execute(ONE_AT_A_TIME)
            await db.execute(delete(SigningKeyRow))
            await db.execute(insert(SigningKeyRow).values(kid=kid, sealed=sealed))
            return await self._believed(db)

    async def reseal(self, kid: str, old: bytes, new: bytes) -> None:
        """The same key under another envelope key, unless somebody else was first."""
        same = (SigningKeyRow.kid == kid, SigningKeyRow.sealed == old)
        async with self._database.transaction() as db:
            await db.execute(update(SigningKeyRow).where(*same).values(sealed=new))

    async def _retire(self, db: AsyncSession) -> None:
        """Those before the newest, and the end of those whose time is over."""
        over = SigningKeyRow.retired_at <= func.clock_timestamp() - self._kept
        await db.execute(delete(SigningKeyRow).where(over))
        current = SigningKeyRow.retired_at.is_(None)
        await db.execute(update(SigningKeyRow).where(current).values(retired_at=func.clock_timestamp()))

    async def _believed(self, db: AsyncSession) -> list[SealedKey]:
        current = SigningKeyRow.retired_at > func.clock_timestamp() - self._kept
        newest = (
            select(SigningKeyRow.kid, func.clock_timestamp() - SigningKeyRow.created_at, SigningKeyRow.sealed)
            .where(or_(SigningKeyRow.retired_at.is_(None), current))
            .order_by(SigningKeyRow.created_at.desc(), SigningKeyRow.kid)
        )
        return [SealedKey(kid, age, sealed) for kid, age, sealed in (await db.execute(newest)).all()]
