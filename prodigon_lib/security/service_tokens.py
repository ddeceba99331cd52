"""Which service calls which: tokens of a minute, signed with a key that only our services have.

    SERVICE_KEYS=2026-11:MDEy…,2026-05:…

The first key signs and all are believed, so that a new one is put second everywhere, then first, and then the
old one is taken away, while calls go on. A token names who calls and who is called, and is good for nobody
else. The key is one for all, so a service that was taken over can pass for another; what it can't do is read
what is sealed under `ENVELOPE_KEYS`, which are others.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jws import extract_compact
from pydantic import SecretStr

from prodigon_lib.core.errors import SettingsError, Unauthenticated
from prodigon_lib.security.envelope_keys import EnvelopeKeys

ALGORITHM = "HS256"
TYPE = "service+jwt"
SECONDS = 60
RENEWED_AFTER_SECONDS = 20.0
"""Long before it ends: what takes it may wait in a balancer, or have another clock."""
LEEWAY_SECONDS = 5
MOST_CHARACTERS = 2048
MOST_KNOWN = 256


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The keys, and which of them signs. They are in no `repr`."""

    keys: Mapping[str, OctKey] = field(repr=False)
    newest: str

    @classmethod
    def of(cls, setting: SecretStr) -> Self:
        """As `SERVICE_KEYS` has them.

        Raises:
            SettingsError: the text is no list of keys.
        """
        try:
            found = EnvelopeKeys.parse(setting.get_secret_value())
        except ValueError as error:
            raise SettingsError(f"SERVICE_KEYS: {error}") from None
        return cls({name: OctKey.import_key(key) for name, key in found.keys.items()}, found.newest)


class ServiceTokens:
    """What one service shows another; a new one now and then, as signing costs more than a call may."""

    def __init__(
        self, keys: ServiceKeys, caller: str, called: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys, self._caller, self._called, self._clock = keys, caller, called, clock
        self._token, self._made = "", float("-inf")

    def __call__(self) -> str:
        now = self._clock()
        if not 0 <= now - self._made < RENEWED_AFTER_SECONDS:  # a clock may be set back too
            header = {"alg": ALGORITHM, "kid": self._keys.newest, "typ": TYPE}
            times = {"iat": int(now), "exp": int(now) + SECONDS}
            claims = {"iss": self._caller, "aud": self._called, **times}
            key = self._keys.keys[self._keys.newest]
            self._token = jwt.encode(header, claims, key, algorithms=[ALGORITHM])
            self._made = now
        return self._token


class KnownServices:
    """Says whose a token is; one that was seen is looked up, and not computed again.

    Args:
        called: the service that this one is.
        callers: whose calls it takes.
    """

    def __init__(
        self,
        keys: ServiceKeys,
        called: str,
        callers: frozenset[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys, self._called, self._callers, self._clock = keys, called, callers, clock
        self._seen: dict[str, tuple[str, float]] = {}

    def caller(self, token: str | None) -> str:
        """Raises Unauthenticated: it is none that such a service has just made for this one."""
        if not token or len(token) > MOST_CHARACTERS:
            raise refusal()
        caller, until = self._seen.get(token) or self._read(token)
        if self._clock() > until:
            raise refusal()
        return caller

    def _read(self, token: str) -> tuple[str, float]:
        try:
            header = extract_compact(token.encode("ascii")).headers()
            key = self._keys.keys.get(str(header.get("kid")))
            if key is None or header.get("typ") != TYPE:
                raise refusal()
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
            caller, until = str(claims["iss"]), float(claims["exp"])
            ours = claims["aud"] == self._called and caller in self._callers
            soon = until <= self._clock() + SECONDS + LEEWAY_SECONDS
        except (JoseError, ValueError, LookupError, TypeError):
            raise refusal() from None
        if not ours or not soon:
            raise refusal()
        if len(self._seen) >= MOST_KNOWN:
            self._seen.clear()
        self._seen[token] = caller, until + LEEWAY_SECONDS
        return self._seen[token]


def refusal() -> Unauthenticated:
    return Unauthenticated("only our own services may call this one", code="UNKNOWN_SERVICE")
