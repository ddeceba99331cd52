"""People with accounts on a stack, and what becomes of a login whose refresh token was stolen."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from prodigon_lib.core.principal import Role
from prodigon_lib.workshop.table import Table

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

LOGIN, REFRESH, ME = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/me"
ROLES = {"learner": Role.LEARNER, "other": Role.LEARNER, "teacher": Role.TEACHER, "operator": Role.OPERATOR}


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and the access token that they show."""

    name: str
    role: Role
    token: str


async def people_of(stack: "Stack") -> dict[str, Person]:
    """Two learners, a teacher and an operator, each logged in."""
    people = {}
    async with aiohttp.ClientSession(stack.url) as session:
        for name, role in ROLES.items():
            account = await asyncio.to_thread(stack.credential, f"lesson-9-{name}", role=role)
            tokens = await posted(session, LOGIN, {"name": account["user"], "password": account["password"]})
            people[name] = Person(name, role, tokens["access_token"])
    return people


async def stolen(stack: "Stack") -> Table:
    """A refresh token is copied; its owner uses it, then the thief, then the owner again."""
    account = await asyncio.to_thread(stack.credential, "lesson-9-learner")
    async with aiohttp.ClientSession(stack.url) as session:
        first = await posted(session, LOGIN, {"name": account["user"], "password": account["password"]})
        second = await posted(session, REFRESH, {"refresh_token": first["refresh_token"]})
        rows = [
            ("the owner's access token, before", await shown(session, second["access_token"])),
            ("the thief's copy of the first refresh token", await refreshed(session, first["refresh_token"])),
            ("the owner's newest refresh token", await refreshed(session, second["refresh_token"])),
            ("the owner's access token, after", await shown(session, second["access_token"])),
        ]
    return Table(["shown", "status"], rows)


async def posted(session: aiohttp.ClientSession, path: str, body: dict[str, str]) -> dict[str, str]:
    async with session.post(path, json=body) as response:
        response.raise_for_status()
        tokens: dict[str, str] = await response.json()
        return tokens


async def refreshed(session: aiohttp.ClientSession, token: str) -> int:
    async with session.post(REFRESH, json={"refresh_token": token}) as response:
        return response.status


async def shown(session: aiohttp.ClientSession, token: str) -> int:
    async with session.get(ME, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status
