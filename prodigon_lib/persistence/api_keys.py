"""API keys: their secret's hash, what they are good for, and when they were used last."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from prodigon_lib.core.errors import Conflict, KeyNotFound
from prodigon_lib.core.ids import KeyId, UserId
from prodigon_lib.core.principal import Role, Scope
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import ApiKeyRow, UserRow

MOST_KEYS = 100
"""A user's, at a time."""
A_MINUTE = text("interval '1 minute'")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Without its secret, which nobody has but who made it."""

    id: KeyId
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LiveKey:
    """A key that is good, and whose it is."""

    id: KeyId
    user: UserId
    role: Role
    scopes: frozenset[Scope]
    hash: bytes = field(repr=False)


class ApiKeyRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        user: UserId,
        key: KeyId,
        *,
        name: str,
        hash: bytes,
        scopes: Iterable[Scope],
        expires_at: datetime | None,
    ) -> ApiKey:
        """Raises Conflict: the user has too many."""
        values = {"id": key, "user_id": user, "name": name, "hash": hash, "expires_at": expires_at}
        new = insert(ApiKeyRow).values(**values, scopes=sorted(scope.value for scope in scopes))
        count = select(func.count()).where(ApiKeyRow.user_id == user, *good())
        async with self._database.transaction() as db:
            # The user's row is locked, so that two made at once are counted one after the other.
            await db.execute(select(UserRow.id).where(UserRow.id == user).with_for_update())
            if (await db.scalar(count) or 0) >= MOST_KEYS:
                raise Conflict(f"a user has at most {MOST_KEYS} keys: revoke one first")
            row = await db.scalar(new.returning(ApiKeyRow))
            assert row is not None
        return key_of(row)

    async def of_user(self, user: UserId) -> list[ApiKey]:
        """Those that are good, newest first."""
        newest = (
            select(ApiKeyRow)
            .where(ApiKeyRow.user_id == user, *good())
            .order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id.desc())
        )
        async with self._database.transaction() as db:
            return [key_of(row) for row in await db.scalars(newest)]

    async def revoke(self, user: UserId, key: KeyId) -> None:
        """Raises KeyNotFound: this user has none with that id that is good."""
        ended = (
            update(ApiKeyRow)
            .where(ApiKeyRow.id == key, ApiKeyRow.user_id == user, *good())
            .values(revoked_at=func.now())
            .returning(ApiKeyRow.id)
        )
        async with self._database.transaction() as db:
            if await db.scalar(ended) is None:
                raise KeyNotFound(f"there is no key {key}")

    async def live(self, key: KeyId) -> LiveKey | None:
        found = (
            select(ApiKeyRow, UserRow.role)
            .join(UserRow, UserRow.id == ApiKeyRow.user_id)
            .where(ApiKeyRow.id == key, *good(), ~UserRow.disabled)
        )
        async with self._database.transaction() as db:
            found_row = (await db.execute(found)).one_or_none()
        if found_row is None:
            return None
        row, role = found_row
        return LiveKey(key, UserId(row.user_id), Role(role), scopes_in(row), row.hash)

    async def used(self, key: KeyId) -> None:
        """Note the time, unless a note of the last minute is there."""
        old = ApiKeyRow.last_used_at < func.now() - A_MINUTE
        noted = (
            update(ApiKeyRow)
            .where(ApiKeyRow.id == key, or_(ApiKeyRow.last_used_at.is_(None), old))
            .values(last_used_at=func.now())
        )
        async with self._database.transaction() as db:
            await db.execute(noted)


def good() -> tuple[ColumnElement[bool], ...]:
    current = or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > func.now())
    return ApiKeyRow.revoked_at.is_(None), current


def scopes_in(row: ApiKeyRow) -> frozenset[Scope]:
    return frozenset(Scope(scope) for scope in row.scopes)


def key_of(row: ApiKeyRow) -> ApiKey:
    return ApiKey(KeyId(row.id), row.name, scopes_in(row), row.created_at, row.expires_at, row.last_used_at)
