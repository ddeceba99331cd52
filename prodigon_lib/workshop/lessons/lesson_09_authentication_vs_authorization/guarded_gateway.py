"""The gateway with its door shut, beside a stack: the same routes, rules and database.

Who shows which token is given to it: whatever issues tokens, what follows is the same.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import UUID

from fastapi import FastAPI

from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.principal import Principal, Role, scopes_of
from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.audit import AuditRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.workshop.service_process import ServiceProcess, service_process

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

WHO = "LESSON_9_WHO"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and the token that they show."""

    name: str
    role: Role
    user: UserId
    token: str


class KnownTokens:
    """An `Authenticator` that knows these and no other."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._known = {
            person.token: Principal(person.user, person.role, scopes_of(person.role))
            for person in people.values()
        }

    async def authenticate(self, credential: str) -> Principal:
        if credential not in self._known:
            raise Unauthenticated("the credential is not good, or not any more")
        return self._known[credential]


@contextmanager
def guarded_gateway(stack: "Stack", people: Mapping[str, Person]) -> Iterator[ServiceProcess]:
    """Runs while the block does, in a process of its own, in front of the stack's models and worker."""
    known = {name: [person.role, str(person.user), person.token] for name, person in people.items()}
    variables = {
        "DATABASE_URL": stack.database_url,
        "MODEL_SERVICE_URL": stack.urls["model"],
        "WORKER_SERVICE_URL": stack.urls["worker"],
        "METRICS_FROM": "192.0.2.1",  # nobody: an address for books, or this machine would be inside
        WHO: json.dumps(known),
    }
    with patch.dict(os.environ, variables), service_process(f"{__name__}:create_guarded_app") as service:
        yield service


def create_guarded_app() -> FastAPI:
    known = json.loads(os.environ[WHO])
    people = {
        name: Person(name, Role(role), UserId(UUID(user)), token)
        for name, (role, user, token) in known.items()
    }
    settings = load_settings(GatewaySettings)
    database = Database(parse_database_url(os.environ["DATABASE_URL"]), pool_size=2)
    audit = AuditLog(AuditRepository(database))
    app = create_app(settings, authenticator=KnownTokens(people), audit=audit)
    within = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: FastAPI) -> AsyncIterator[None]:
        async with audit.opened(), within(started):
            yield
        await database.close()

    app.router.lifespan_context = lifespan
    return app
