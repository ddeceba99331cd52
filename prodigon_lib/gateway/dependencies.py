"""What routes ask for, as annotated aliases."""

from typing import Annotated

from fastapi import Depends, Query, Request

from prodigon_lib.core.ids import UserId
from prodigon_lib.core.principal import Principal
from prodigon_lib.core.schemas.text import NO_NUL, text_schema
from prodigon_lib.gateway.access import principal_of
from prodigon_lib.gateway.collaborators import Collaborators
from prodigon_lib.persistence.chats import ChatRepository
from prodigon_lib.transport.jobs import JobsClient
from prodigon_lib.transport.model import ModelClient

MAX_PAGE = 100
DEFAULT_PAGE = 20
MAX_CURSOR = 500
MAX_SEARCH = 200
NEXT_CURSOR_HEADER = "X-Next-Cursor"
NEXT_CURSOR = {
    NEXT_CURSOR_HEADER: {
        "description": "`cursor` of the next page; not there on the last",
        "schema": {"type": "string"},
    }
}


async def collaborators_of(request: Request) -> Collaborators:
    bound: Collaborators = request.app.state.collaborators
    return bound


Bound = Annotated[Collaborators, Depends(collaborators_of)]


async def model_client(bound: Bound) -> ModelClient:
    return bound.model


async def jobs_client(bound: Bound) -> JobsClient:
    return bound.jobs


async def chat_repository(bound: Bound) -> ChatRepository:
    return bound.chats


async def current_principal(request: Request) -> Principal:
    """See `principal_of`."""
    return principal_of(request.scope)


async def current_user(request: Request) -> UserId:
    return principal_of(request.scope).user


Model = Annotated[ModelClient, Depends(model_client)]
Jobs = Annotated[JobsClient, Depends(jobs_client)]
Chats = Annotated[ChatRepository, Depends(chat_repository)]
Caller = Annotated[Principal, Depends(current_principal)]
User = Annotated[UserId, Depends(current_user)]

PageLimit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many at most")]
Cursor = Annotated[
    Annotated[str, NO_NUL, text_schema(1, MAX_CURSOR)] | None,
    Query(min_length=1, max_length=MAX_CURSOR, description="`X-Next-Cursor` of the page before"),
]
Search = Annotated[
    Annotated[str, NO_NUL, text_schema(0, MAX_SEARCH)] | None,
    Query(max_length=MAX_SEARCH, description="Text that the title or a message must have, in any case"),
]
