"""A service whose query for one chat is given to it, and somebody who counts through the ids."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import aiohttp
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from prodigon_lib.core.principal import Role
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.chat_service import (
    Caller,
    chat_service,
    token_in,
)
from prodigon_lib.workshop.serving import serving
from prodigon_lib.workshop.table import Table

NAMES = ("ann", "ben", "cem", "dora")
CHATS_EACH = 10
ASKS = "ann"


class ChatRows:
    """Chats with ids that count up. `one` is the query for a single one: it may use `:id` and `:owner`."""

    def __init__(self, database: sqlite3.Connection, one: str) -> None:
        self.database, self._one = database, one

    def add(self, caller: Caller, title: str) -> str:
        query = "INSERT INTO chats (owner, title) VALUES (?, ?)"
        return str(self.database.execute(query, (caller.name, title)).lastrowid)

    def all(self, caller: Caller) -> Sequence[tuple[str, str]]:
        query = "SELECT CAST(id AS TEXT), title FROM chats WHERE owner = ?"
        return self.database.execute(query, (caller.name,)).fetchall()

    def one(self, chat_id: str, caller: Caller) -> tuple[str, str] | None:
        row = self.database.execute(self._one, {"id": chat_id, "owner": caller.name}).fetchone()
        return None if row is None else (str(row[0]), row[1])

    def delete(self, chat_id: str, caller: Caller) -> int:
        query = "DELETE FROM chats WHERE id = ? AND owner = ?"
        return self.database.execute(query, (chat_id, caller.name)).rowcount

    def owners(self) -> Sequence[str]:
        return NAMES


class WhoCalls:
    """Authentication alone: it knows who calls, and lets all of them in."""

    def __init__(self, app: ASGIApp, tokens: dict[str, str]) -> None:
        self.app, self.tokens = app, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            name = self.tokens.get(token_in(scope))
            if name is None:
                await PlainTextResponse("who are you?", 401)(scope, receive, send)
                return
            scope["state"]["caller"] = Caller(name, Role.LEARNER)
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Loot:
    """What somebody read who asked for each id.

    Args:
        statuses: how often each came.
        titles: of the chats that were read, by owner.
    """

    asked: int
    statuses: dict[int, int]
    titles: dict[str, list[str]]

    @property
    def stolen(self) -> int:
        return sum(len(titles) for owner, titles in self.titles.items() if owner != ASKS)


async def count_through(one: str) -> Loot:
    """Ann logs in as herself and asks for chat 1, 2, 3 and so on, and for some more than there are."""
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as database:
        database.execute("CREATE TABLE chats (id INTEGER PRIMARY KEY, owner TEXT, title TEXT)")
        rows = [(name, f"{name}'s chat {n}") for n in range(CHATS_EACH) for name in NAMES]
        database.executemany("INSERT INTO chats (owner, title) VALUES (?, ?)", rows)
        app = chat_service(ChatRows(database, one))
        app.add_middleware(WhoCalls, tokens={f"token of {name}": name for name in NAMES})
        async with (
            serving(app) as url,
            aiohttp.ClientSession(url, headers={"Authorization": f"Bearer token of {ASKS}"}) as session,
        ):
            return await loot(session, len(rows) + 5)


async def loot(session: aiohttp.ClientSession, last: int) -> Loot:
    statuses: dict[int, int] = {}
    titles: dict[str, list[str]] = {name: [] for name in NAMES}
    for number in range(1, last + 1):
        async with session.get(f"/chats/{number}") as response:
            statuses[response.status] = statuses.get(response.status, 0) + 1
            if response.ok:
                title = str((await response.json())["title"])
                titles[title.partition("'")[0]].append(title)
    return Loot(last, statuses, titles)


def loot_table(found: Loot) -> Table:
    """Chats that Ann has read, by owner."""
    rows = [(owner, len(titles), (titles or ["-"])[0]) for owner, titles in found.titles.items()]
    return Table(["whose chats", "read by Ann", "for one"], rows)
