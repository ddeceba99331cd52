"""Chat sessions and their messages."""

from datetime import datetime
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from prodigon_lib.core.schemas.generate import MAX_CONTENT, GenerationOptions, Role
from prodigon_lib.core.schemas.text import NO_NUL, text_schema

MAX_TITLE = 200
DEFAULT_TITLE = "New Chat"
MAX_META_DEPTH = 32


def refuse_unstorable(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """JSONB holds no U+0000, no half of a surrogate pair and no NaN, anywhere, keys included."""

    def check(node: object, depth: int) -> None:
        if depth > MAX_META_DEPTH:
            raise ValueError(f"must not be nested deeper than {MAX_META_DEPTH}")
        if isinstance(node, str):
            if "\x00" in node:
                raise ValueError("must not contain the character U+0000")
            if not node.isprintable() and any("\ud800" <= character <= "\udfff" for character in node):
                raise ValueError("must be valid Unicode")
        elif isinstance(node, float) and not isfinite(node):
            raise ValueError("must not contain NaN or infinity")
        elif isinstance(node, dict):
            for key, item in node.items():
                check(key, depth + 1)
                check(item, depth + 1)
        elif isinstance(node, list):
            for item in node:
                check(item, depth + 1)

    check(value, 0)
    return value


Title = Annotated[str, Field(max_length=MAX_TITLE), NO_NUL, text_schema(0, MAX_TITLE)]
SystemPrompt = Annotated[str, Field(max_length=MAX_CONTENT), NO_NUL, text_schema(0, MAX_CONTENT)]


class SessionCreate(BaseModel):
    title: Title = DEFAULT_TITLE
    system_prompt: SystemPrompt | None = None


class SessionUpdate(BaseModel):
    """Only the fields that are sent change; a null `system_prompt` removes it."""

    title: Title | None = None
    system_prompt: SystemPrompt | None = None


class MessageCreate(BaseModel):
    role: Role
    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), NO_NUL, text_schema(1, MAX_CONTENT)]
    meta: Annotated[dict[str, Any], AfterValidator(refuse_unstorable)] | None = None


class MessageView(BaseModel):
    id: UUID
    session_id: UUID
    role: Role
    content: str
    meta: dict[str, Any] | None
    created_at: datetime


class SessionView(BaseModel):
    id: UUID
    title: str
    system_prompt: str | None
    created_at: datetime
    updated_at: datetime
    message_count: int


class SessionDetail(SessionView):
    messages: list[MessageView]


class TurnRequest(GenerationOptions):
    """One turn of a chat on the server: the history is read there, and both new messages are saved there.

    `system_prompt` here overrides the session's own for this turn.
    """

    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), NO_NUL, text_schema(1, MAX_CONTENT)]
