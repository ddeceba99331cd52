"""Deny by default."""

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse

from prodigon_lib.core.principal import Role
from prodigon_lib.workshop.asgi import Direct, Reply, started
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.people import (
    PEOPLE,
    Cell,
    Directory,
    cells,
    fill,
    may_read,
)
from prodigon_lib.workshop.table import Table

HINTS = (
    "Ask what happens to a request for which nobody wrote a rule: a route of tomorrow, a mounted application,"
    " the documentation. The default is what .get() gives when it finds nothing. And whose chat it is only"
    " the database knows.",
    "Let a missing rule mean the empty set of roles. Put the owner into every WHERE, so that a foreign chat"
    " is not found. Record where all answers pass: wrap send, and look at the status of"
    " http.response.start.",
    "roles = POLICY.get((method, template_of(scope)), frozenset()). SELECT … WHERE id = ? AND (owner = ? OR"
    " (? = 'teacher' AND owner_role = 'learner')); DELETE … WHERE id = ? AND owner = ?, for the teacher too."
    " In noting(message): 401, 403 and 404 make one Denial, with the caller's name.",
)
GUESSES = 40
CLOSED = "Deny what has no rule: for a missing one, POLICY.get must give an empty set."


class DefaultDenyCheck(Check):
    seconds = 20

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        attempt.get("create_app"), attempt.get("POLICY")  # what can't even be loaded says so here
        self.people = Directory(attempt.token)
        self.denials: list[Any] = []
        with closing(sqlite3.connect(":memory:")) as self.database:
            self.chats = fill(self.database, attempt.token)
            app = attempt.get("create_app")(self.database, self.people.who, self.denials.append)
            async with started(app) as self.service:
                await self.matrix()
                await self.what_is_listed()
                await self.guessed_ids()
                await self.own_ones()
                await self.added_meanwhile(app)
                await self.roles_that_change()

    async def ask(self, who: str, method: str, path: str, body: object = None) -> Reply:
        """`who` is one of the people, `nobody`, or `a forged token`."""
        return await asked(self.service, self.people.tokens[who], method, path, body)

    async def matrix(self) -> None:
        """Everybody at every endpoint, and at a chat of everybody."""
        wrong: dict[str, list[tuple[object, ...]]] = {"of people without an account": [], "by role": []}
        wrong["by owner"], unrecorded, count = [], [], Counter[str]()
        for cell in cells(self.chats):
            self.denials.clear()
            reply = await self.ask(cell.who, cell.method, cell.path, cell.body)
            count[cell.kind] += 1
            if reply.status != cell.wanted:
                wrong[cell.kind].append((cell.who, cell.what, reply.said, cell.wanted))
            recorded = [facts(denial) for denial in self.denials]
            if recorded != wanted_records(cell):
                unrecorded.append((cell.who, cell.what, cell.wanted, recorded or "nothing"))
        with self.findings.together():
            for kind, rows in wrong.items():
                self.findings.equal(
                    f"wrong answers {kind}, of {count[kind]}", len(rows), 0, step=STEPS[kind],
                    evidence=Table(["who", "asked for", "status", "wanted"], rows[:8]),
                )  # fmt: skip
        kept = {row[0] for row in self.database.execute("SELECT id FROM chats")}
        self.findings.equal(
            "chats that somebody else's DELETE took away", len(set(self.chats.values()) - kept), 0,
            step="Put the owner into the DELETE's WHERE; a teacher reads only.",
        )  # fmt: skip
        self.findings.equal(
            f"requests with a wrong record of denials, of {count.total()}", len(unrecorded), 0,
            evidence=Table(["who", "asked for", "status", "recorded"], unrecorded[:8]),
            step="One Denial for each 401, 403 and 404, with the caller's name, method, path and status; none"
            " for what was let through.",
        )  # fmt: skip

    async def what_is_listed(self) -> None:
        for who in PEOPLE:
            listed = [each["id"] for each in (await self.ask(who, "GET", "/chats")).json()]
            seen = sorted(self.chats[owner] for owner in PEOPLE if may_read(who, owner))
            known = set(self.chats.values())
            self.findings.equal(
                f"chats that {who} has in the list", sorted(set(listed) & known), seen,
                step="The list is the same rule: one's own, and for a teacher the learners' too.",
            )  # fmt: skip

    async def guessed_ids(self) -> None:
        """Ids of others among ids of nobody: nothing tells them apart."""
        others = [self.chats[owner] for owner in PEOPLE if not may_read("learner", owner)]
        ids = [*others, *(self.attempt.token() for _ in range(GUESSES)), "1", "0", "-1", "%00", "null"]
        self.denials.clear()
        replies = [
            await self.ask("learner", method, f"/chats/{i}") for i in ids for method in ("GET", "DELETE")
        ]
        alike = {(reply.status, reply.body) for reply in replies}
        with self.findings.together():
            self.findings.equal(
                f"different answers to {len(replies)} requests with guessed ids", len(alike), 1,
                evidence=Table(["status", "body"], sorted(alike)),
                step="Answer for another's chat just as for one that does not exist.",
            )  # fmt: skip
            self.findings.equal(
                "denials recorded for those", len(self.denials), len(replies),
                step="The 404 that a query decides on is a denial as well.",
            )  # fmt: skip

    async def own_ones(self) -> None:
        """What is allowed works, and what a client says of the owner counts for nothing."""
        for who in PEOPLE:
            forged = {"title": self.attempt.token(), "owner": "other learner", "owner_role": "operator"}
            made = (await self.ask(who, "POST", "/chats", forged)).json()["id"]
            query = "SELECT owner, title FROM chats WHERE id = ?"
            row = self.database.execute(query, (made,)).fetchone()
            read, gone = [await self.ask(who, method, f"/chats/{made}") for method in ("GET", "DELETE")]
            again = await self.ask(who, "GET", f"/chats/{made}")
            self.findings.equal(
                f"{who}'s own chat: owner and title, then read, deleted, read again",
                [*(row or ()), read.status, gone.status, again.status],
                [who, forged["title"], 200, 204, 404],
                step="The owner is who calls, and may do all with what is theirs.",
            )  # fmt: skip

    async def added_meanwhile(self, app: FastAPI) -> None:
        """Routes that nobody wrote a rule for, added in many ways while requests run."""
        reached: list[str] = []
        paths = add_routes(app, self.attempt, reached)
        statuses: dict[str, set[int]] = {}
        for way, (method, path) in paths.items():
            replies = [await self.ask(who, method, path) for who in ("nobody", *PEOPLE)]
            statuses[way] = {reply.status for reply in replies}
        docs = {
            (await self.ask(who, "GET", path)).status for who in PEOPLE for path in ("/openapi.json", "/docs")
        }
        statuses["the documentation"] = docs | {(await self.ask("nobody", "GET", "/openapi.json")).status}
        open_ones = sorted(way for way, found in statuses.items() if found - {401, 403})
        with self.findings.together():
            self.findings.equal(
                "ways to add a route that leave it open", open_ones, [], step=CLOSED,
                evidence=Table(["way", "statuses"], [(way, sorted(statuses[way])) for way in statuses]),
            )  # fmt: skip
            self.findings.equal("calls that reached such a route", len(reached), 0, step=CLOSED)
        method, path = paths["add_api_route"]
        self.attempt.get("POLICY")[method, path] = frozenset({Role.TEACHER})
        got = [(await self.ask(who, method, path)).status for who in ("nobody", *PEOPLE)]
        self.findings.equal(
            "that route once POLICY opens it to teachers: nobody, learners, teachers, operator",
            got, [401, 403, 403, 200, 200, 403], step="Let the guard ask POLICY for each request.",
        )  # fmt: skip

    async def roles_that_change(self) -> None:
        before = (await self.ask("operator", "GET", "/accounts")).status
        self.people.roles["operator"] = Role.LEARNER
        demoted = (await self.ask("operator", "GET", "/accounts")).status
        del self.people.roles["operator"]
        gone = (await self.ask("operator", "GET", "/chats")).status
        self.findings.equal(
            "an operator, then the same as a learner, then without an account", [before, demoted, gone],
            [200, 403, 401], step="Ask who() for each request, and keep nothing of what it said.",
        )  # fmt: skip


STEPS = {
    "of people without an account": "401 for whoever has no good token, and /health is open to all.",
    "by role": "Give every route of the list a rule, and 403 to a role that is not in it.",
    "by owner": "Put who asks into the WHERE of each query.",
}


def facts(denial: Any) -> tuple[object, ...]:
    return denial.caller, denial.method, denial.path, denial.status


def wanted_records(cell: Cell) -> list[tuple[object, ...]]:
    if cell.wanted not in (401, 403, 404):
        return []
    return [(cell.who if cell.who in PEOPLE else None, cell.method, cell.path, cell.wanted)]


async def asked(service: Direct, token: str | None, method: str, path: str, body: object) -> Reply:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await service.ask(method, path, body, headers=headers)


def add_routes(app: FastAPI, attempt: Attempt, reached: list[str]) -> dict[str, tuple[str, str]]:
    """Each way, with method and path of what it added; who gets there is noted in `reached`."""
    word = attempt.token

    async def handler() -> str:
        reached.append("a route")
        return "reached"

    async def endpoint(_: object) -> PlainTextResponse:
        reached.append("an endpoint")
        return PlainTextResponse("reached")

    one, two, three, four = (f"/{word()}" for _ in range(4))
    app.add_api_route(one, handler)
    app.add_route(two, endpoint)
    router = APIRouter()
    router.add_api_route(f"/{word()}", handler)
    app.include_router(router, prefix=three)
    within = FastAPI(openapi_url=None)
    within.add_api_route("/chats", handler)
    app.mount(four, within)
    app.add_api_route("/health", handler, methods=["DELETE"])
    app.add_api_route("/health/secret", handler)
    app.add_api_route("/chats/{chat_id}/export", handler)
    return {
        "add_api_route": ("GET", one),
        "add_route": ("GET", two),
        "include_router": ("GET", three + router.routes[0].path),  # type: ignore[attr-defined]
        "mount": ("GET", f"{four}/chats"),
        "another method of a path that is open": ("DELETE", "/health"),
        "below a path that is open": ("GET", "/health/secret"),
        "below a path with a rule": ("GET", f"/chats/{word()}/export"),
    }
