"""A small service of chats, and what it knows of a caller: exercise 9.3 puts a guard before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import Scope

from prodigon_lib.core.principal import Role


@dataclass(frozen=True)
class Caller:
    name: str
    role: Role


@dataclass(frozen=True)
class Denial:
    """What was refused. `caller` is a name; `None` without a good token."""

    caller: str | None
    method: str
    path: str
    status: int


class ChatTable(Protocol):
    """The queries. A chat is its id and its title."""

    def add(self, caller: Caller, title: str) -> str: ...
    def all(self, caller: Caller) -> Sequence[tuple[str, str]]: ...
    def one(self, chat_id: str, caller: Caller) -> tuple[str, str] | None: ...
    def delete(self, chat_id: str, caller: Caller) -> int: ...
    def owners(self) -> Sequence[str]: ...


class NewChat(BaseModel):
    title: str


def the_caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


By = Annotated[Caller, Depends(the_caller)]


def chat_service(chats: ChatTable) -> FastAPI:
    """The routes, with nothing before them. Whoever calls stands in `scope["state"]["caller"]`."""
    app = FastAPI()

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @app.get("/chats")
    async def read_all(by: By) -> list[dict[str, str]]:
        return [{"id": chat_id, "title": title} for chat_id, title in chats.all(by)]

    @app.post("/chats", status_code=201)
    async def add(chat: NewChat, by: By) -> dict[str, str]:
        return {"id": chats.add(by, chat.title), "title": chat.title}

    @app.get("/chats/{chat_id}")
    async def read(chat_id: str, by: By) -> dict[str, str]:
        if (found := chats.one(chat_id, by)) is None:
            raise HTTPException(404, "no such chat")
        return {"id": found[0], "title": found[1]}

    @app.delete("/chats/{chat_id}", status_code=204)
    async def delete(chat_id: str, by: By) -> None:
        if chats.delete(chat_id, by) == 0:
            raise HTTPException(404, "no such chat")

    @app.get("/accounts")
    async def accounts() -> list[str]:
        return sorted(chats.owners())

    return app


def token_in(scope: Scope) -> str:
    """What follows `Bearer` in a request's headers, or nothing."""
    given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return str(given).removeprefix("Bearer ")


def template_of(scope: Scope) -> str:
    """The path of the route that would answer, as it was written: `/chats/{chat_id}`; else nothing."""
    for route in scope["app"].routes:
        if route.matches(scope)[0] is Match.FULL:
            return str(getattr(route, "path", ""))
    return ""
