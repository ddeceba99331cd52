"""The application itself is the gate; what its queries say of owners stands in one place."""

from uuid import uuid4

from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from prodigon_lib.core.principal import Role
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.chat_service import (
    Denial,
    chat_service,
    template_of,
    token_in,
)

POLICY = {
    ("GET", "/health"): None,
    ("GET", "/accounts"): {Role.OPERATOR},
    **{
        (method, path): {Role.LEARNER, Role.TEACHER, Role.OPERATOR}
        for path, methods in {"/chats": ("GET", "POST"), "/chats/{chat_id}": ("GET", "DELETE")}.items()
        for method in methods
    },
}
MINE = "owner = ?1"
MAY_READ = "(owner = ?1 OR owner_role = ?2)"


class Gated(FastAPI):
    def __init__(self, who, audit):
        super().__init__()
        self.who, self.audit = who, audit

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope["app"] = self
            caller = scope["state"]["caller"] = self.who(token_in(scope))
            told = self.telling(scope, caller, send)
            rule = POLICY.get((scope["method"], template_of(scope)), set())
            if rule is not None and (caller is None or caller.role not in rule):
                refused = PlainTextResponse("no", 401 if caller is None else 403)
                await refused(scope, receive, told)
                return
            send = told
        await super().__call__(scope, receive, send)

    def telling(self, scope, caller, send):
        async def told(message):
            if message.get("status") in (401, 403, 404):
                name = None if caller is None else caller.name
                self.audit(Denial(name, scope["method"], scope["path"], message["status"]))
            await send(message)

        return told


class Chats:
    def __init__(self, database):
        self.database = database

    def query(self, caller, text, *others):
        whose = Role.LEARNER if caller.role is Role.TEACHER else "nobody"
        return self.database.execute(text, (caller.name, whose, *others))

    def add(self, caller, title):
        chat_id = str(uuid4())
        self.database.execute(
            "INSERT INTO chats VALUES (?, ?, ?, ?)", (chat_id, caller.name, caller.role, title)
        )
        return chat_id

    def owners(self):
        return {name for (name,) in self.database.execute("SELECT owner FROM chats")}

    def all(self, caller):
        return list(self.query(caller, f"SELECT id, title FROM chats WHERE {MAY_READ}"))

    def one(self, chat_id, caller):
        query = f"SELECT id, title FROM chats WHERE {MAY_READ} AND id = ?3"
        return self.query(caller, query, chat_id).fetchone()

    def delete(self, chat_id, caller):
        query = f"DELETE FROM chats WHERE {MINE} AND ?2 IS NOT NULL AND id = ?3"
        return self.query(caller, query, chat_id).rowcount


def create_app(database, who, audit):
    app = Gated(who, audit)
    app.router.routes += chat_service(Chats(database)).router.routes
    return app
