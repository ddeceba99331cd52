"""Who may do what: the one table of it, a rule for each route of the gateway.

What stands in no rule is denied to everybody, and a test looks that each route has one. Whose a thing is, is
not said here: every query has the caller's id in it, so another's session, job or key is not found. Of
accounts, `sees_all_accounts` says how many the query may find.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prodigon_lib.core.principal import Principal, Role
from prodigon_lib.core.principal import Scope as CredentialScope


@dataclass(frozen=True, slots=True)
class Rule:
    """What a caller must have.

    Args:
        scope: which their credential must have; `None` lets everybody in.
        role: which they must have, or one above it.
        inside: it is enough to come from a network of `METRICS_FROM`.
        or_scope: another one that is good for it as well.
    """

    scope: CredentialScope | None
    role: Role = Role.LEARNER
    inside: bool = False
    or_scope: CredentialScope | None = None

    def permits(self, principal: Principal) -> bool:
        good = self.scope in principal.scopes or self.or_scope in principal.scopes
        return good and RANKS[principal.role] >= RANKS[self.role]


RANKS = {role: rank for rank, role in enumerate(Role)}

PUBLIC = Rule(None)
GENERATE = Rule(CredentialScope.GENERATE)
CHATS = Rule(CredentialScope.CHATS)
JOBS = Rule(CredentialScope.JOBS)
ACCOUNT = Rule(CredentialScope.ACCOUNT)
LEARNERS = Rule(CredentialScope.LEARNERS, Role.TEACHER, or_scope=CredentialScope.ADMIN)
ADMIN = Rule(CredentialScope.ADMIN, Role.OPERATOR)
OPERATIONS = Rule(CredentialScope.ADMIN, Role.OPERATOR, inside=True)

SESSIONS = "/api/v1/chat/sessions"
BATCHES = "/api/v1/jobs"

RULES: Mapping[tuple[str, str], Rule] = {
    ("GET", "/health"): PUBLIC,
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/docs/assets/{path}"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/metrics"): OPERATIONS,
    ("GET", "/memory"): OPERATIONS,
    ("PUT", "/memory"): OPERATIONS,
    ("DELETE", "/memory"): OPERATIONS,
    ("GET", "/simulated"): OPERATIONS,
    ("PUT", "/simulated"): OPERATIONS,
    ("POST", "/api/v1/auth/register"): PUBLIC,
    ("POST", "/api/v1/auth/login"): PUBLIC,
    ("POST", "/api/v1/auth/refresh"): PUBLIC,
    ("GET", "/api/v1/auth/oidc/login"): PUBLIC,
    ("GET", "/api/v1/auth/oidc/callback"): PUBLIC,
    ("POST", "/api/v1/auth/logout"): ACCOUNT,
    ("GET", "/api/v1/auth/me"): ACCOUNT,
    ("POST", "/api/v1/auth/password"): ACCOUNT,
    ("GET", "/api/v1/keys"): ACCOUNT,
    ("POST", "/api/v1/keys"): ACCOUNT,
    ("DELETE", "/api/v1/keys/{key_id}"): ACCOUNT,
    ("GET", "/api/v1/accounts"): LEARNERS,
    ("PATCH", "/api/v1/accounts/{user_id}"): ADMIN,
    ("GET", "/api/v1/audit"): ADMIN,
    ("POST", "/api/v1/generate"): GENERATE,
    ("POST", "/api/v1/generate/stream"): GENERATE,
    ("GET", "/v1/models"): GENERATE,
    ("GET", "/v1/models/{model_id}"): GENERATE,
    ("POST", "/v1/chat/completions"): GENERATE,
    ("GET", "/openai/v1/models"): GENERATE,
    ("GET", "/openai/v1/models/{model_id}"): GENERATE,
    ("POST", "/openai/v1/chat/completions"): GENERATE,
    ("GET", SESSIONS): CHATS,
    ("POST", SESSIONS): CHATS,
    ("GET", SESSIONS + "/{session_id}"): CHATS,
    ("PATCH", SESSIONS + "/{session_id}"): CHATS,
    ("DELETE", SESSIONS + "/{session_id}"): CHATS,
    ("POST", SESSIONS + "/{session_id}/messages"): CHATS,
    ("DELETE", SESSIONS + "/{session_id}/messages/{message_id}"): CHATS,
    ("POST", SESSIONS + "/{session_id}/stream"): CHATS,
    ("GET", BATCHES): JOBS,
    ("POST", BATCHES): JOBS,
    ("GET", BATCHES + "/{job_id}"): JOBS,
    ("POST", BATCHES + "/{job_id}/cancel"): JOBS,
    ("POST", BATCHES + "/{job_id}/retry"): JOBS,
    ("GET", BATCHES + "/{job_id}/events"): JOBS,
}


def rule_for(method: str, template: str) -> Rule | None:
    """The rule of a route; `None` where there is none, and nobody may. Who may read may ask for the head."""
    return RULES.get(("GET" if method == "HEAD" else method, template))


def sees_all_accounts(principal: Principal) -> bool:
    """Whether the list of accounts has all of them; else it has the learners who may log in, and no more."""
    return ADMIN.permits(principal)
