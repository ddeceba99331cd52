"""Logins and their refresh tokens: each token is good once, and a second use ends the whole login."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from prodigon_lib.core.ids import LoginId, UserId, new_login_id
from prodigon_lib.core.principal import Role
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import CredentialRow, LoginRow, RefreshTokenRow, UserRow

# Not now(), when the transaction began: it may have waited for another one since.
NOW = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class Login:
    """A login that is good, and whose it is."""

    id: LoginId
    user: UserId
    role: Role


@dataclass(frozen=True, slots=True)
class Reused:
    """The token was used before: two have it, and nobody can say which of them is the thief."""

    id: LoginId
    user: UserId


class LoginRepository:
    """A token is named by its SHA-256; no token comes here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, user: UserId, token: bytes, lifetime: timedelta) -> LoginId:
        async with self._database.transaction() as db:
            return await self._insert(db, user, token, lifetime)

    async def begin_with(
        self, password_hash: str, user: UserId, token: bytes, lifetime: timedelta
    ) -> LoginId | None:
        """`None` where that hash is the user's no more.

        Whoever changes it waits for this login to be there, or this waits for the change: so a password that
        is changed begins no login that outlives the change.
        """
        still = select(CredentialRow.user_id).where(
            CredentialRow.user_id == user, CredentialRow.password_hash == password_hash
        )
        async with self._database.transaction() as db:
            if await db.scalar(still.with_for_update(read=True)) is None:
                return None
            return await self._insert(db, user, token, lifetime)

    async def _insert(self, db: Any, user: UserId, token: bytes, lifetime: timedelta) -> LoginId:
        id = new_login_id()
        await db.execute(insert(LoginRow).values(id=id, user_id=user, expires_at=NOW + lifetime))
        await db.execute(insert(RefreshTokenRow).values(hash=token, login_id=id))
        return id

    async def renew(self, old: bytes, new: bytes) -> Login | Reused | None:
        """Use `old` up and put `new` in its place; `None` where `old` is not good, for any other reason.

        One statement uses it up, so of several that come at once one is the first. The others wait for its
        row, then find it used.
        """
        used = (
            update(RefreshTokenRow)
            .where(RefreshTokenRow.hash == old, RefreshTokenRow.used_at.is_(None))
            .where(RefreshTokenRow.login_id == LoginRow.id, LoginRow.user_id == UserRow.id, *good())
            .values(used_at=NOW)
            .returning(LoginRow.id, LoginRow.user_id, UserRow.role)
        )
        async with self._database.transaction() as db:
            row = (await db.execute(used)).one_or_none()
            if row is not None:
                await db.execute(insert(RefreshTokenRow).values(hash=new, login_id=row.id))
                return Login(LoginId(row.id), UserId(row.user_id), Role(row.role))
            return await self._end_if_used(db, old)

    async def _end_if_used(self, db: Any, token: bytes) -> Reused | None:
        family = select(RefreshTokenRow.login_id).where(
            RefreshTokenRow.hash == token, RefreshTokenRow.used_at.is_not(None)
        )
        ended = (
            update(LoginRow)
            .where(LoginRow.id == family.scalar_subquery(), LoginRow.revoked_at.is_(None))
            .values(revoked_at=NOW)
            .returning(LoginRow.id, LoginRow.user_id)
        )
        row = (await db.execute(ended)).one_or_none()
        return None if row is None else Reused(LoginId(row.id), UserId(row.user_id))

    async def live(self, login: LoginId) -> Login | None:
        """That login, if it has not ended and its user is not disabled."""
        found = (
            select(LoginRow.user_id, UserRow.role)
            .join(UserRow, UserRow.id == LoginRow.user_id)
            .where(LoginRow.id == login, *good())
        )
        async with self._database.transaction() as db:
            row = (await db.execute(found)).one_or_none()
        return None if row is None else Login(login, UserId(row.user_id), Role(row.role))

    async def revoke(self, user: UserId, login: LoginId) -> None:
        """End that login of the user's."""
        await self._revoke(LoginRow.user_id == user, LoginRow.id == login)

    async def revoke_all(self, user: UserId, *, but: LoginId | None = None) -> None:
        """End the user's logins, all but one of them where it is named."""
        others = [LoginRow.id != but] if but is not None else []
        await self._revoke(LoginRow.user_id == user, *others)

    async def _revoke(self, *wanted: ColumnElement[bool]) -> None:
        ended = update(LoginRow).where(*wanted, LoginRow.revoked_at.is_(None)).values(revoked_at=NOW)
        async with self._database.transaction() as db:
            await db.execute(ended)

    async def prune(self) -> None:
        """Delete those that have run out; a revoked one stays until then, so that a reuse is still seen."""
        async with self._database.transaction() as db:
            await db.execute(delete(LoginRow).where(LoginRow.expires_at < NOW))


def good() -> tuple[ColumnElement[bool], ...]:
    return LoginRow.revoked_at.is_(None), LoginRow.expires_at > NOW, ~UserRow.disabled
