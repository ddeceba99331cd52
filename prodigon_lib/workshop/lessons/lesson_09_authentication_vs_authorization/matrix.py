"""Who may what: each role at each endpoint, and at things of each owner; as wanted, and as it is."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

import aiohttp
import asyncpg

from prodigon_lib.core.ids import new_user_id
from prodigon_lib.core.principal import Principal, Role, scopes_of
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.security.policy import BATCHES, SESSIONS, rule_for
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.logins import Person

NOBODY = "nobody"
ROLES = (NOBODY, *Role)
OWNERS = ("own", "another's", "no such")
DENIED = (401, 403)
RECORDED = "SELECT coalesce(sum(times), 0)::int FROM audit_log WHERE event = 'access'"
LOOKS, LOOK_EVERY = 100, 0.05


@dataclass(frozen=True)
class Endpoint:
    """`made_by` is where the thing that its path names is made; without it, nobody owns what it is about."""

    name: str
    method: str
    template: str
    body: Mapping[str, object] | None = None
    made_by: str = ""


TURN = {"prompt": "Say yes.", "max_tokens": 4}
ENDPOINTS = (
    Endpoint("health", "GET", "/health"),
    Endpoint("complete", "POST", "/api/v1/generate", TURN),
    Endpoint("models", "GET", "/v1/models"),
    Endpoint("list chats", "GET", SESSIONS),
    Endpoint("new chat", "POST", SESSIONS, {}),
    Endpoint("read chat", "GET", SESSIONS + "/{session_id}", made_by=SESSIONS),
    Endpoint("rename chat", "PATCH", SESSIONS + "/{session_id}", {"title": "mine"}, SESSIONS),
    Endpoint(
        "write message",
        "POST",
        SESSIONS + "/{session_id}/messages",
        {"role": "user", "content": "x"},
        SESSIONS,
    ),
    Endpoint("delete chat", "DELETE", SESSIONS + "/{session_id}", made_by=SESSIONS),
    Endpoint("new job", "POST", BATCHES, {"prompts": ["Say yes."]}),
    Endpoint("read job", "GET", BATCHES + "/{job_id}", made_by=BATCHES),
    Endpoint("list accounts", "GET", "/api/v1/accounts"),
    Endpoint("metrics", "GET", "/metrics"),
)
NEW = {SESSIONS: ({}, "id"), BATCHES: ({"prompts": ["Say yes."]}, "job_id")}


@dataclass(frozen=True)
class Cell:
    """Args: `owner` is empty where nobody owns what it is about; `status` is 0 until it was asked."""

    role: str
    endpoint: Endpoint
    owner: str
    wanted: int
    status: int = 0

    @property
    def column(self) -> str:
        return f"{self.endpoint.name}, {self.owner}" if self.owner else self.endpoint.name


async def denials_recorded(database_url: str, *, before: int = 0, wanted: int = 0) -> int:
    """Of the audit log, more than `before`; it is written beside the requests, so `wanted` are waited for."""
    connection = await asyncpg.connect(parse_database_url(database_url).dsn)
    try:
        for _ in range(LOOKS):
            found: int = await connection.fetchval(RECORDED)
            if found - before >= wanted:
                break
            await asyncio.sleep(LOOK_EVERY)
        return found - before
    finally:
        await connection.close()


def wanted_cells() -> Iterator[Cell]:
    """The whole matrix, as the table of rules and ownership have it: 200 stands for any success."""
    for role in ROLES:
        for endpoint in ENDPOINTS:
            for owner in OWNERS if endpoint.made_by else ("",):
                yield Cell(role, endpoint, owner, wanted_status(role, endpoint, owner))


def wanted_status(role: str, endpoint: Endpoint, owner: str) -> int:
    rule = rule_for(endpoint.method, endpoint.template)
    if rule is not None and rule.scope is None:
        return 200
    if role == NOBODY:
        return 401
    caller = Principal(new_user_id(), Role(role), scopes_of(Role(role)))
    if rule is None or not rule.permits(caller):
        return 403
    return 404 if owner in ("another's", "no such") else 200


async def matrix(url: str, people: Mapping[str, Person]) -> list[Cell]:
    """Every cell asked of the gateway at `url`, each with things that were made for it alone."""
    async with aiohttp.ClientSession(url) as session:
        return await asyncio.gather(*(asked(session, cell, people) for cell in wanted_cells()))


async def asked(session: aiohttp.ClientSession, cell: Cell, people: Mapping[str, Person]) -> Cell:
    caller = None if cell.role == NOBODY else people[cell.role]
    path = cell.endpoint.template
    if "{" in path:
        owner = caller if cell.owner == "own" and caller is not None else people["other"]
        thing = str(uuid4()) if cell.owner == "no such" else await made(session, cell.endpoint, owner)
        path = path.partition("{")[0] + thing + path.partition("}")[2]
    async with session.request(
        cell.endpoint.method, path, json=cell.endpoint.body, headers=shown_by(caller)
    ) as response:
        return replace(cell, status=200 if response.ok else response.status)


async def made(session: aiohttp.ClientSession, endpoint: Endpoint, owner: Person) -> str:
    """The id of a new thing of `owner`."""
    body, name = NEW[endpoint.made_by]
    async with session.post(endpoint.made_by, json=body, headers=shown_by(owner)) as response:
        response.raise_for_status()
        return str((await response.json())[name])


def shown_by(person: Person | None) -> dict[str, str]:
    return {} if person is None else {"Authorization": f"Bearer {person.token}"}
