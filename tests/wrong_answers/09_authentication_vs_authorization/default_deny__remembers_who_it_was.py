# fails: an operator, then the same
from collections.abc import Callable
from sqlite3 import Connection
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prodigon_lib.core.principal import Role
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.chat_service import (
    Caller,
    Denial,
    chat_service,
    template_of,
    token_in,
)

EVERYBODY = None
ACCOUNTS = frozenset(Role)

POLICY: dict[tuple[str, str], frozenset[Role] | None] = {
    ("GET", "/health"): EVERYBODY,
    ("GET", "/chats"): ACCOUNTS,
    ("POST", "/chats"): ACCOUNTS,
    ("GET", "/chats/{chat_id}"): ACCOUNTS,
    ("DELETE", "/chats/{chat_id}"): ACCOUNTS,
    ("GET", "/accounts"): frozenset({Role.OPERATOR}),
}


class Guard:
    def __init__(
        self, app: ASGIApp, who: Callable[[str], Caller | None], audit: Callable[[Denial], None]
    ) -> None:
        self.app, self.who, self.audit = app, who, audit
        self.known: dict[str, Caller | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = token_in(scope)
        if token not in self.known:
            self.known[token] = self.who(token)
        caller = scope["state"]["caller"] = self.known[token]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (401, 403, 404):
                name = caller.name if caller else None
                self.audit(Denial(name, scope["method"], scope["path"], message["status"]))
            await send(message)

        roles = POLICY.get((scope["method"], template_of(scope)), frozenset())
        if roles is EVERYBODY or (caller and caller.role in roles):
            await self.app(scope, receive, noting)
            return
        status = 403 if caller else 401
        await JSONResponse({"error": "you may not"}, status)(scope, receive, noting)


class Chats:
    def __init__(self, database: Connection) -> None:
        self.database = database

    def add(self, caller: Caller, title: str) -> str:
        row = (uuid4().hex, caller.name, caller.role, title)
        self.database.execute("INSERT INTO chats VALUES (?, ?, ?, ?)", row)
        return row[0]

    def owners(self) -> list[str]:
        return [name for (name,) in self.database.execute("SELECT DISTINCT owner FROM chats")]

    def all(self, caller: Caller) -> list[Any]:
        query = """SELECT id, title FROM chats
            WHERE owner = :name OR (:role = 'teacher' AND owner_role = 'learner')"""
        return self.database.execute(query, {"name": caller.name, "role": caller.role}).fetchall()

    def one(self, chat_id: str, caller: Caller) -> Any:
        query = """SELECT id, title FROM chats WHERE id = :id
            AND (owner = :name OR (:role = 'teacher' AND owner_role = 'learner'))"""
        given = {"id": chat_id, "name": caller.name, "role": caller.role}
        return self.database.execute(query, given).fetchone()

    def delete(self, chat_id: str, caller: Caller) -> int:
        query = "DELETE FROM chats WHERE id = ? AND owner = ?"
        return self.database.execute(query, (chat_id, caller.name)).rowcount


def create_app(
    database: Connection, who: Callable[[str], Caller | None], audit: Callable[[Denial], None]
) -> FastAPI:
    app = chat_service(Chats(database))
    app.add_middleware(Guard, who=who, audit=audit)
    return app
