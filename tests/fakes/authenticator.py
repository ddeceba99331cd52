"""Knows a few credentials, as accounts do."""

from dataclasses import dataclass, field
from uuid import UUID

from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.core.ids import UserId, new_key_id
from prodigon_lib.core.principal import Principal, Role, Scope, scopes_of

ADA = UserId(UUID("00000000-0000-4000-8000-00000000ada0"))
BOB = UserId(UUID("00000000-0000-4000-8000-00000000b0b0"))


def login(user: UserId, role: Role = Role.LEARNER) -> Principal:
    return Principal(user, role, scopes_of(role))


def api_key(user: UserId, *scopes: Scope) -> Principal:
    return Principal(user, Role.LEARNER, frozenset(scopes), new_key_id())


@dataclass
class FakeAuthenticator:
    """`known` holds whose each credential is; a new one can be added at any time."""

    known: dict[str, Principal] = field(
        default_factory=lambda: {
            "ada": login(ADA),
            "bob": login(BOB),
            "teacher": login(BOB, Role.TEACHER),
            "operator": login(BOB, Role.OPERATOR),
            "pdg_jobs": api_key(ADA, Scope.JOBS),
        }
    )
    asked: list[str] = field(default_factory=list)

    async def authenticate(self, credential: str) -> Principal:
        self.asked.append(credential)
        if credential not in self.known:
            raise Unauthenticated("this credential is not good, or not any more")
        return self.known[credential]
