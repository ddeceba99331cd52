"""Chats: sessions and their messages. Every call is on behalf of a user, who meets only their own.

The number of statements of a call depends on no number of sessions or messages.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from prodigon_lib.core.errors import Conflict, MessageNotFound, SessionNotFound
from prodigon_lib.core.ids import MessageId, SessionId, UserId, new_message_id, new_session_id
from prodigon_lib.core.schemas.chat import (
    MessageCreate,
    MessageView,
    SessionCreate,
    SessionDetail,
    SessionUpdate,
    SessionView,
)
from prodigon_lib.core.schemas.generate import MAX_CONTENT, Message, Role
from prodigon_lib.persistence.cursors import decode_cursor, encode_cursor
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import MessageRow, SessionRow

MESSAGE_COUNT = (
    select(func.count())
    .select_from(MessageRow)
    .where(MessageRow.session_id == SessionRow.id)
    .correlate(SessionRow)
    .scalar_subquery()
)
# Not now(), when the transaction began: one that waited for a lock would set the time back.
NOW = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions, newest `updated_at` first. `next_cursor` is `None` on the last page."""

    sessions: list[SessionView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that waits for its answer. `history` ends with the question."""

    system_prompt: str | None
    question_id: MessageId
    history: list[Message]


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """How much of a chat goes to the model: the newest messages that keep within both."""

    messages: int = 100
    characters: int = 400_000


class ChatRepository:
    """Raises (every call that names a session): SessionNotFound: this user has none with that id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user: UserId, new: SessionCreate) -> SessionView:
        values = {"id": new_session_id(), "user_id": user, **new.model_dump()}
        async with self._database.transaction() as db:
            row = (await db.execute(insert(SessionRow).values(values).returning(SessionRow))).scalar_one()
        return session_view(row, 0)

    async def page(self, user: UserId, *, limit: int, cursor: str | None, search: str | None) -> SessionPage:
        """Sessions of `user`; with `search`, those that have it in their title or in a message.

        Raises:
            ValidationFailed: `cursor` is none that an earlier page gave.
        """
        wanted = [SessionRow.user_id == user]
        if cursor is not None:
            wanted.append(tuple_(SessionRow.updated_at, SessionRow.id) < tuple_(*decode_cursor(cursor)))
        if search:
            wanted.append(mentions(search))
        newest = (
            select(SessionRow, MESSAGE_COUNT)
            .where(*wanted)
            .order_by(SessionRow.updated_at.desc(), SessionRow.id.desc())
            .limit(limit + 1)
        )
        async with self._database.transaction() as db:
            rows = (await db.execute(newest)).all()
        last = rows[limit - 1][0] if len(rows) > limit else None
        return SessionPage(
            [session_view(row, count) for row, count in rows[:limit]],
            encode_cursor(last.updated_at, last.id) if last else None,
        )

    async def get(self, user: UserId, session: SessionId) -> SessionDetail:
        messages = select(MessageRow).where(MessageRow.session_id == session).order_by(MessageRow.position)
        async with self._database.transaction() as db:
            found = await db.scalar(select(SessionRow).where(*owned(user, session)))
            if found is None:
                raise missing(session)
            views = [message_view(row) for row in await db.scalars(messages)]
        return SessionDetail(**session_view(found, len(views)).model_dump(), messages=views)

    async def update(self, user: UserId, session: SessionId, changes: SessionUpdate) -> SessionView:
        values = changes.model_dump(exclude_unset=True)
        if values.get("title", "") is None:
            del values["title"]  # a session has a title always; null leaves it as it is
        changed = (
            update(SessionRow)
            .where(*owned(user, session))
            .values({**values, "updated_at": NOW})
            .returning(SessionRow, MESSAGE_COUNT)
        )
        async with self._database.transaction() as db:
            row = (await db.execute(changed)).one_or_none()
        if row is None:
            raise missing(session)
        return session_view(row[0], row[1])

    async def delete(self, user: UserId, session: SessionId) -> None:
        gone = delete(SessionRow).where(*owned(user, session)).returning(SessionRow.id)
        async with self._database.transaction() as db:
            if await db.scalar(gone) is None:
                raise missing(session)

    async def add_message(self, user: UserId, session: SessionId, new: MessageCreate) -> MessageView:
        async with self._database.transaction() as db:
            await touch(db, user, session)
            return message_view(await write(db, session, new_message_id(), **new.model_dump()))

    async def delete_messages_from(self, user: UserId, session: SessionId, message: MessageId) -> None:
        """Delete that message and all after it.

        Raises:
            MessageNotFound: the session has no such message.
        """
        position = select(MessageRow.position).where(
            MessageRow.session_id == session, MessageRow.id == message
        )
        later = delete(MessageRow).where(
            MessageRow.session_id == session, MessageRow.position >= position.scalar_subquery()
        )
        async with self._database.transaction() as db:
            await touch(db, user, session)
            if not (await db.scalars(later.returning(MessageRow.id))).all():
                raise MessageNotFound(f"this session has no message {message}")

    async def begin_turn(self, user: UserId, session: SessionId, content: str, limits: HistoryLimits) -> Turn:
        """Save the user's message, and read what the model is to know."""
        newest = (
            select(MessageRow.role, MessageRow.content)
            .where(MessageRow.session_id == session, MessageRow.content != "")
            .order_by(MessageRow.position.desc())
            .limit(limits.messages)
        )
        async with self._database.transaction() as db:
            found = await touch(db, user, session)
            question = await write(db, session, new_message_id(), role=Role.USER, content=content)
            rows = (await db.execute(newest)).all()
        return Turn(found.system_prompt, MessageId(question.id), fitting(rows, limits.characters))

    async def complete_turn(
        self,
        user: UserId,
        session: SessionId,
        *,
        question: MessageId,
        answer: MessageId,
        content: str,
        meta: dict[str, Any],
    ) -> None:
        """Save the whole answer under the id `answer`.

        Raises:
            Conflict: the question was deleted meanwhile; its answer would follow nothing.
        """
        asked = select(MessageRow.id).where(MessageRow.id == question, MessageRow.session_id == session)
        async with self._database.transaction() as db:
            await touch(db, user, session)
            if await db.scalar(asked) is None:
                raise Conflict("the question was deleted before its answer was complete")
            await write(db, session, answer, role=Role.ASSISTANT, content=content, meta=meta)


def owned(user: UserId, session: SessionId) -> tuple[ColumnElement[bool], ...]:
    return SessionRow.id == session, SessionRow.user_id == user


def missing(session: SessionId) -> SessionNotFound:
    return SessionNotFound(f"there is no session {session}")


def mentions(search: str) -> ColumnElement[bool]:
    """`search` as plain text, in any case: its `%` and `_` stand for themselves."""
    in_message = (
        select(MessageRow.id)
        .where(MessageRow.session_id == SessionRow.id, MessageRow.content.icontains(search, autoescape=True))
        .correlate(SessionRow)
    )
    return or_(SessionRow.title.icontains(search, autoescape=True), in_message.exists())


async def touch(db: AsyncSession, user: UserId, session: SessionId) -> SessionRow:
    """Move the session to the top. The row stays locked, so its messages are written one by one."""
    changed = update(SessionRow).where(*owned(user, session)).values(updated_at=NOW).returning(SessionRow)
    row = await db.scalar(changed)
    if row is None:
        raise missing(session)
    return row


async def write(db: AsyncSession, session: SessionId, id: MessageId, **fields: Any) -> MessageRow:
    values = {"id": id, "session_id": session, **fields}
    return (await db.execute(insert(MessageRow).values(values).returning(MessageRow))).scalar_one()


def fitting(newest_first: Any, characters: int) -> list[Message]:
    """The newest messages that keep within `characters`, oldest first; the newest itself always."""
    kept: list[Message] = []
    for role, content in newest_first:
        characters -= len(content)
        if kept and characters < 0:
            break
        kept.append(Message(role=Role(role), content=content[:MAX_CONTENT]))  # an answer may be longer
    return kept[::-1]


def session_view(row: SessionRow, message_count: int) -> SessionView:
    return SessionView(
        id=row.id,
        title=row.title,
        system_prompt=row.system_prompt,
        created_at=row.created_at,
        updated_at=row.updated_at,
        message_count=message_count,
    )


def message_view(row: MessageRow) -> MessageView:
    return MessageView.model_validate(row, from_attributes=True)
