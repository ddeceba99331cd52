"""Accounts: users, their roles and their password hashes."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from prodigon_lib.core.errors import AccountNotFound, Conflict
from prodigon_lib.core.ids import DEFAULT_USER_ID, UserId, new_user_id
from prodigon_lib.core.principal import Role
from prodigon_lib.persistence.cursors import decode_cursor, encode_cursor
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import CredentialRow, IdentityRow, SessionRow, UsageRow, UserRow
from prodigon_lib.persistence.usage import TODAY

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('prodigon operators'))")
"""Two operators who disable each other at once: the second must see what the first did."""
# Jobs are not counted: the queue may lie in Redis.
CHATS = select(func.count()).where(SessionRow.user_id == UserRow.id).correlate(UserRow).scalar_subquery()
TOKENS_TODAY = func.coalesce(
    select(UsageRow.tokens)
    .where(UsageRow.user_id == UserRow.id, UsageRow.day == TODAY)
    .correlate(UserRow)
    .scalar_subquery(),
    0,
)


@dataclass(frozen=True, slots=True)
class Account:
    id: UserId
    name: str
    role: Role
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountUse:
    """An account and how much it is used: never for what.

    Args:
        tokens: of today, where they are counted.
        chats: that are kept.
    """

    account: Account
    tokens: int
    chats: int


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Newest first. `next_cursor` is `None` on the last page."""

    accounts: list[AccountUse]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is checked against. The hash is in no `repr`; `None` where there is no password."""

    account: Account
    password_hash: str | None = field(repr=False)


class AccountRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: str, role: Role, password_hash: str) -> Account:
        """Raises Conflict: the name is taken."""
        async with self._database.transaction() as db:
            row = await add_user(db, name, role)
            if row is None:
                raise Conflict(f"the name {name} is taken")
            await db.execute(insert(CredentialRow).values(user_id=row.id, password_hash=password_hash))
        return account_of(row)

    async def get(self, user: UserId) -> Account:
        """Raises AccountNotFound."""
        async with self._database.transaction() as db:
            row = await db.scalar(select(UserRow).where(UserRow.id == user))
        if row is None:
            raise missing(user)
        return account_of(row)

    async def credentials(self, name: str) -> Credentials | None:
        return await self._credentials(UserRow.name == name)

    async def credentials_of(self, user: UserId) -> Credentials | None:
        return await self._credentials(UserRow.id == user)

    async def _credentials(self, wanted: object) -> Credentials | None:
        found = (
            select(UserRow, CredentialRow.password_hash)
            .outerjoin(CredentialRow, CredentialRow.user_id == UserRow.id)
            .where(wanted)  # type: ignore[arg-type]
        )
        async with self._database.transaction() as db:
            row = (await db.execute(found)).one_or_none()
        return None if row is None else Credentials(account_of(row[0]), row[1])

    async def replace_hash(self, user: UserId, old: str, new: str) -> bool:
        """Whether `old` still was the user's hash: of two changes at once, one is made."""
        changed = (
            update(CredentialRow)
            .where(CredentialRow.user_id == user, CredentialRow.password_hash == old)
            .values(password_hash=new, changed_at=func.now())
            .returning(CredentialRow.user_id)
        )
        async with self._database.transaction() as db:
            return await db.scalar(changed) is not None

    async def reset_hash(self, name: str, new: str) -> Account:
        """Whatever the hash was.

        Raises:
            AccountNotFound: nobody has that name.
            Conflict: the account has no password, and gets none: it would be a second way in.
        """
        changed = (
            update(CredentialRow)
            .where(CredentialRow.user_id == UserRow.id, UserRow.name == name)
            .values(password_hash=new, changed_at=func.now())
            .returning(UserRow)
        )
        async with self._database.transaction() as db:
            row = await db.scalar(changed)
            if row is not None:
                return account_of(row)
            if await db.scalar(select(UserRow.id).where(UserRow.name == name)) is None:
                raise AccountNotFound(f"there is no account {name}")
        raise Conflict(f"{name} has no password: whoever that is logs in elsewhere")

    async def page(self, *, everybody: bool, limit: int, cursor: str | None = None) -> AccountPage:
        """All accounts, or only the learners who may log in.

        Raises:
            ValidationFailed: `cursor` is none that an earlier page gave.
        """
        newest = select(UserRow, TOKENS_TODAY, CHATS).order_by(UserRow.created_at.desc(), UserRow.id.desc())
        if not everybody:
            newest = newest.where(
                UserRow.role == Role.LEARNER.value, ~UserRow.disabled, UserRow.id != DEFAULT_USER_ID
            )
        if cursor is not None:
            newest = newest.where(tuple_(UserRow.created_at, UserRow.id) < tuple_(*decode_cursor(cursor)))
        async with self._database.transaction() as db:
            rows = (await db.execute(newest.limit(limit + 1))).all()
        last = rows[limit - 1][0] if len(rows) > limit else None
        return AccountPage(
            [AccountUse(account_of(user), tokens, chats) for user, tokens, chats in rows[:limit]],
            encode_cursor(last.created_at, last.id) if last else None,
        )

    async def change(self, user: UserId, *, role: Role | None, disabled: bool | None) -> Account:
        """Change what is given.

        Raises:
            AccountNotFound: there is none.
            Conflict: no operator would be left who can log in.
        """
        given = {"role": role and role.value, "disabled": disabled}
        values = {name: value for name, value in given.items() if value is not None}
        async with self._database.transaction() as db:
            await db.execute(ONE_AT_A_TIME)
            before = await db.scalar(select(UserRow).where(UserRow.id == user).with_for_update())
            if before is None:
                raise missing(user)
            was_operator = before.role == Role.OPERATOR and not before.disabled
            if values:
                await db.execute(update(UserRow).where(UserRow.id == user).values(values))
                await db.refresh(before)
            if was_operator and not await operators(db):
                raise Conflict("this is the last operator who can log in")
            return account_of(before)

    async def of_identity(self, issuer: str, subject: str) -> Account | None:
        """Who that is at an OIDC provider."""
        found = (
            select(UserRow)
            .join(IdentityRow, IdentityRow.user_id == UserRow.id)
            .where(IdentityRow.issuer == issuer, IdentityRow.subject == subject)
        )
        async with self._database.transaction() as db:
            row = await db.scalar(found)
        return None if row is None else account_of(row)

    async def create_for_identity(self, issuer: str, subject: str, name: str) -> Account | None:
        """A learner without a password; `None` when the name is taken.

        Whoever has that name already is somebody else: to link the two by their name, or by an e-mail
        address, would let a provider's user take an account over.
        """
        async with self._database.transaction() as db:
            row = await add_user(db, name, Role.LEARNER)
            if row is None:
                return None
            values = {"issuer": issuer, "subject": subject, "user_id": row.id}
            linked = insert(IdentityRow).values(values).on_conflict_do_nothing()
            if await db.scalar(linked.returning(IdentityRow.user_id)) is None:
                raise Conflict("this login is being made already: try again")
        return account_of(row)


async def add_user(db: AsyncSession, name: str, role: Role) -> UserRow | None:
    """`None` when the name is taken."""
    new = insert(UserRow).values(id=new_user_id(), name=name, role=role.value).on_conflict_do_nothing()
    return await db.scalar(new.returning(UserRow))


async def operators(db: AsyncSession) -> int:
    able = select(func.count()).where(UserRow.role == Role.OPERATOR.value, ~UserRow.disabled)
    return await db.scalar(able) or 0


def missing(user: UserId) -> AccountNotFound:
    return AccountNotFound(f"there is no account {user}")


def account_of(row: UserRow) -> Account:
    return Account(UserId(row.id), row.name, Role(row.role), row.disabled, row.created_at)
