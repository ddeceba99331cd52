"""What a service shows when it calls another, and what stands before one that only ours may call.

Nothing of cryptography is imported where `SERVICE_KEYS` is not set: it costs memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr
from starlette.types import Scope

from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.core.http.admission import SERVICE_HEADER, Admission
from prodigon_lib.core.http.documentation import ASSETS_PATH
from prodigon_lib.core.http.raw import header_of

if TYPE_CHECKING:
    from prodigon_lib.security.service_tokens import KnownServices, ServiceTokens

OPEN = frozenset({"/metrics", "/docs", "/openapi.json", "/memory", "/simulated"})
"""For who runs the system, from within its network; the last two are there in development only."""

NAME = SERVICE_HEADER.lower().encode()
ADMITTED = Admission()


@dataclass(frozen=True, slots=True)
class ServiceGuard:
    """A `Guard` of `RequestMiddleware`."""

    known: "KnownServices"

    async def __call__(self, scope: Scope) -> Admission:
        if scope["path"] in OPEN or scope["path"].startswith(f"{ASSETS_PATH}/"):
            return ADMITTED
        try:
            self.known.caller(header_of(scope, NAME))
        except Unauthenticated as error:
            return Admission(refusal=error)
        return ADMITTED


def service_guard(keys: SecretStr | None, called: str, callers: Iterable[str]) -> ServiceGuard | None:
    """As `SERVICE_KEYS` wants it: `None` without keys, and then whoever reaches the service may call it.

    Raises:
        SettingsError: the text is no list of keys.
    """
    if keys is None:
        return None
    from prodigon_lib.security.service_tokens import KnownServices, ServiceKeys

    return ServiceGuard(KnownServices(ServiceKeys.of(keys), called, frozenset(callers)))


def identity(keys: SecretStr | None, caller: str, called: str) -> "ServiceTokens | None":
    """What `caller` shows when it calls; `None` without keys. Raises SettingsError."""
    if keys is None:
        return None
    from prodigon_lib.security.service_tokens import ServiceKeys, ServiceTokens

    return ServiceTokens(ServiceKeys.of(keys), caller, called)
