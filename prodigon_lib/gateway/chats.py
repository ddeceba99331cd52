"""Chat sessions and their messages."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Response

from prodigon_lib.core.http.streams import EventStream
from prodigon_lib.core.ids import MessageId, SessionId
from prodigon_lib.core.schemas.chat import (
    MessageCreate,
    MessageView,
    SessionCreate,
    SessionDetail,
    SessionUpdate,
    SessionView,
    TurnRequest,
)
from prodigon_lib.gateway.dependencies import (
    DEFAULT_PAGE,
    NEXT_CURSOR,
    NEXT_CURSOR_HEADER,
    Bound,
    Chats,
    Cursor,
    PageLimit,
    Search,
    User,
)
from prodigon_lib.gateway.generate import STREAM_ANSWER
from prodigon_lib.gateway.turns import ANSWER_HEADER, QUESTION_HEADER, answer_stream, start_turn

router = APIRouter(prefix="/api/v1/chat/sessions", tags=["chat"])

TURN_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        **STREAM_ANSWER[200],
        "headers": {
            QUESTION_HEADER: {
                "description": "The id of the saved user message",
                "schema": {"type": "string", "format": "uuid"},
            },
            ANSWER_HEADER: {
                "description": "The id that the assistant's message will have, if it is completed",
                "schema": {"type": "string", "format": "uuid"},
            },
        },
    }
}


@router.post("", status_code=201)
async def create_session(
    chats: Chats, user: User, new: Annotated[SessionCreate | None, Body()] = None
) -> SessionView:
    """A new, empty session."""
    return await chats.create(user, new or SessionCreate())


@router.get("", responses={200: {"headers": NEXT_CURSOR}})
async def list_sessions(
    response: Response,
    chats: Chats,
    user: User,
    limit: PageLimit = DEFAULT_PAGE,
    cursor: Cursor = None,
    q: Search = None,
) -> list[SessionView]:
    """Sessions, newest `updated_at` first."""
    page = await chats.page(user, limit=limit, cursor=cursor, search=q)
    if page.next_cursor is not None:
        response.headers[NEXT_CURSOR_HEADER] = page.next_cursor
    return page.sessions


@router.get("/{session_id}")
async def get_session(session_id: UUID, chats: Chats, user: User) -> SessionDetail:
    """One session with all its messages, oldest first."""
    return await chats.get(user, SessionId(session_id))


@router.patch("/{session_id}")
async def update_session(session_id: UUID, changes: SessionUpdate, chats: Chats, user: User) -> SessionView:
    """Change the fields that are sent."""
    return await chats.update(user, SessionId(session_id), changes)


@router.delete("/{session_id}", status_code=204)
async def delete_session(session_id: UUID, chats: Chats, user: User) -> None:
    """The session and its messages are gone."""
    await chats.delete(user, SessionId(session_id))


@router.post("/{session_id}/messages", status_code=201)
async def add_message(session_id: UUID, new: MessageCreate, chats: Chats, user: User) -> MessageView:
    """Write a message; no model is asked."""
    return await chats.add_message(user, SessionId(session_id), new)


@router.delete("/{session_id}/messages/{message_id}", status_code=204)
async def delete_messages_from(session_id: UUID, message_id: UUID, chats: Chats, user: User) -> None:
    """That message and all after it are gone: to regenerate an answer, or to edit a question."""
    await chats.delete_messages_from(user, SessionId(session_id), MessageId(message_id))


@router.post("/{session_id}/stream", status_code=200, response_class=Response, responses=TURN_ANSWER)
async def take_turn(session_id: UUID, asked: TurnRequest, bound: Bound, user: User) -> EventStream:
    """A whole turn: the question is saved, the history goes to the model, a complete answer is saved.

    An answer that was cut, by a fault or because the caller left, is not saved.
    """
    turn = await start_turn(bound, user, SessionId(session_id), asked)
    headers = {QUESTION_HEADER: str(turn.question), ANSWER_HEADER: str(turn.answer)}
    return EventStream(answer_stream(bound, turn), headers)
