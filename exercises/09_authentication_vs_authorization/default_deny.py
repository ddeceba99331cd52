"""Exercise 9.3: deny by default.

A small service of chats. `who` says whose a bearer token is, `None` for one that nobody has; ask it for each
request. Who may what:

    GET /health                                                         everybody
    GET, POST /chats, GET and DELETE /chats/{chat_id}                   whoever has an account
    GET /accounts                                                       operators

Done when POLICY decides, and what is not in it is denied to all, however and whenever it was added to the
application; when who has no good token gets 401, and who may not gets 403; when each reads and deletes their
own chats, a teacher reads the learners' too, and every other chat is as one that does not exist: the same
404; and when each 401, 403 and 404 leaves one `Denial`, and nothing else does.
"""

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
    # TODO Say who may what: method, path as the route has it, and the roles, or EVERYBODY.
    ("GET", "/accounts"): frozenset({Role.OPERATOR}),
}


class Guard:
    """Stands before the whole application: no route, of whatever kind, is reached but through it."""

    def __init__(
        self, app: ASGIApp, who: Callable[[str], Caller | None], audit: Callable[[Denial], None]
    ) -> None:
        self.app, self.who, self.audit = app, who, audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # TODO Let through what POLICY permits to this caller, refuse the rest, and record what was denied.
        caller = scope["state"]["caller"] = self.who(token_in(scope))
        roles = POLICY.get((scope["method"], template_of(scope)), EVERYBODY)
        if roles is not EVERYBODY and (caller is None or caller.role not in roles):
            self.audit(Denial(None, scope["method"], scope["path"], 403))
            await JSONResponse({"error": "you may not"}, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


class Chats:
    """The table `chats`: id, owner, owner_role, title."""

    def __init__(self, database: Connection) -> None:
        self.database = database

    def add(self, caller: Caller, title: str) -> str:
        row = (uuid4().hex, caller.name, caller.role, title)
        self.database.execute("INSERT INTO chats VALUES (?, ?, ?, ?)", row)
        return row[0]

    def owners(self) -> list[str]:
        return [name for (name,) in self.database.execute("SELECT DISTINCT owner FROM chats")]

    # TODO Let each query know who asks, so that what they may not see is not found.
    def all(self, caller: Caller) -> list[Any]:
        query = "SELECT id, title FROM chats WHERE owner = ?"
        return self.database.execute(query, (caller.name,)).fetchall()

    def one(self, chat_id: str, caller: Caller) -> Any:
        return self.database.execute("SELECT id, title FROM chats WHERE id = ?", (chat_id,)).fetchone()

    def delete(self, chat_id: str, caller: Caller) -> int:
        return self.database.execute("DELETE FROM chats WHERE id = ?", (chat_id,)).rowcount


def create_app(
    database: Connection, who: Callable[[str], Caller | None], audit: Callable[[Denial], None]
) -> FastAPI:
    app = chat_service(Chats(database))
    app.add_middleware(Guard, who=who, audit=audit)
    return app
