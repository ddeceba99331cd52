"""Who asks in exercise 9.3, what each owns, and the whole matrix of what they may."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prodigon_lib.core.principal import Role
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.chat_service import Caller

PEOPLE = {
    "learner": Role.LEARNER,
    "other learner": Role.LEARNER,
    "teacher": Role.TEACHER,
    "other teacher": Role.TEACHER,
    "operator": Role.OPERATOR,
}
STRANGERS = ("nobody", "a forged token")


class Directory:
    """Whose a token is; `roles` may change while requests run.

    Args:
        token: draws one.
    """

    def __init__(self, token: Callable[[], str]) -> None:
        self.roles = dict(PEOPLE)
        self.tokens: dict[str, str | None] = {name: token() for name in (*PEOPLE, "a forged token")}
        self.tokens["nobody"] = None
        self._names = {self.tokens[name]: name for name in PEOPLE}

    def who(self, token: str) -> Caller | None:
        name = self._names.get(token)
        return None if name not in self.roles else Caller(name, self.roles[name])


@dataclass(frozen=True)
class Cell:
    """One request of the matrix. `kind` says what decides it, `what` is its name in a report."""

    kind: str
    who: str
    what: str
    method: str
    path: str
    wanted: int
    body: object = None


def fill(database: sqlite3.Connection, token: Callable[[], str]) -> dict[str, str]:
    """A chat for each of the people; their ids by the owner's name."""
    database.execute("CREATE TABLE chats (id TEXT, owner TEXT, owner_role TEXT, title TEXT)")
    chats = {name: token() for name in PEOPLE}
    rows = [(chats[name], name, role, f"{name}'s {token()}") for name, role in PEOPLE.items()]
    database.executemany("INSERT INTO chats VALUES (?, ?, ?, ?)", rows)
    return chats


def cells(chats: Mapping[str, str]) -> Iterator[Cell]:
    """Everybody at every endpoint; at a single chat, with a chat of everybody. Nobody deletes their own."""
    new = {"title": "new"}
    for who in STRANGERS:
        kind = "of people without an account"
        yield Cell(kind, who, "GET /health", "GET", "/health", 200)
        for method, path in (("GET", "/chats"), ("POST", "/chats"), ("GET", "/accounts")):
            yield Cell(kind, who, f"{method} {path}", method, path, 401, new if method == "POST" else None)
        for method in ("GET", "DELETE"):
            yield Cell(kind, who, f"{method} a chat", method, f"/chats/{chats['learner']}", 401)
    for who, role in PEOPLE.items():
        yield Cell("by role", who, "GET /health", "GET", "/health", 200)
        yield Cell("by role", who, "GET /chats", "GET", "/chats", 200)
        yield Cell("by role", who, "POST /chats", "POST", "/chats", 201, new)
        wanted = 200 if role is Role.OPERATOR else 403
        yield Cell("by role", who, "GET /accounts", "GET", "/accounts", wanted)
        for owner, chat in chats.items():
            wanted = 200 if may_read(who, owner) else 404
            yield Cell("by owner", who, f"GET {owner}'s chat", "GET", f"/chats/{chat}", wanted)
            if owner != who:
                yield Cell("by owner", who, f"DELETE {owner}'s chat", "DELETE", f"/chats/{chat}", 404)


def may_read(who: str, owner: str) -> bool:
    """Their own, and a teacher the learners'."""
    return who == owner or (PEOPLE[who] is Role.TEACHER and PEOPLE[owner] is Role.LEARNER)
