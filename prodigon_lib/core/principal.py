"""Who calls, and what they may: known once a request's credential was checked, and passed on as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from prodigon_lib.core.ids import DEFAULT_USER_ID, KeyId, LoginId, UserId


class Role(StrEnum):
    """Of an account; each may what the one before it may, and has its own chats, jobs and keys."""

    LEARNER = "learner"
    """Their own chats, jobs and keys."""
    TEACHER = "teacher"
    """Who the learners are, and how much each uses; what they write only in exercise 9.3."""
    OPERATOR = "operator"
    """Runs the system: accounts, audit log, metrics. What people wrote is none of their business."""


class Scope(StrEnum):
    """What a credential is good for: an API key may have few of them, a login has all of its role's."""

    GENERATE = "generate"
    CHATS = "chats"
    JOBS = "jobs"
    ACCOUNT = "account"
    """One's own account and keys: no API key has it."""
    LEARNERS = "learners"
    """The list of learners, for a teacher."""
    ADMIN = "admin"


def scopes_of(role: Role) -> frozenset[Scope]:
    """All that a login of that role is good for."""
    return frozenset(Scope) - BEYOND[role]


BEYOND: Mapping[Role, frozenset[Scope]] = {
    Role.LEARNER: frozenset({Scope.LEARNERS, Scope.ADMIN}),
    Role.TEACHER: frozenset({Scope.ADMIN}),
    Role.OPERATOR: frozenset(),
}
"""What no credential of that role is good for."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose credential was checked.

    Args:
        key: the API key that was shown, when it was one.
        login: the login that the access token came from, when it was one.
    """

    user: UserId
    role: Role
    scopes: frozenset[Scope]
    key: KeyId | None = None
    login: LoginId | None = None


DEVELOPER = Principal(DEFAULT_USER_ID, Role.LEARNER, scopes_of(Role.LEARNER))
"""Who calls where no accounts are on: the default user, from this machine only."""
