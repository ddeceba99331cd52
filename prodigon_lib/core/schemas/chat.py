"""Chat sessions and their messages."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from prodigon_lib.core.schemas.generate import MAX_CONTENT, GenerationOptions, Role
from prodigon_lib.core.schemas.text import NO_NUL, text_schema

MAX_TITLE = 200
DEFAULT_TITLE = "New Chat"


def refuse_nul_inside(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """JSONB can't hold U+0000 anywhere in the document, keys included."""

    def clean(node: object) -> bool:
        if isinstance(node, str):
            return "\x00" not in node
        if isinstance(node, dict):
            return all(clean(key) and clean(item) for key, item in node.items())
        return all(map(clean, node)) if isinstance(node, list) else True

    if not clean(value):
        raise ValueError("must not contain the character U+0000")
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
    meta: Annotated[dict[str, Any], AfterValidator(refuse_nul_inside)] | None = None


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
