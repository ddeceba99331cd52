"""Access tokens: JWTs that live for minutes, signed with Ed25519 and with nothing else (RFC 8725, RFC 9068).

The header chooses nothing but one of our own keys, by its id. What a token says of the role is for its
holder to read: who may what is looked up, see `Accounts.authenticate`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jws import extract_compact

from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.core.ids import LoginId, UserId
from prodigon_lib.core.principal import Role
from prodigon_lib.security.signing_keys import SigningKeys

ALGORITHM = "Ed25519"
"""As RFC 9864 spells it; `EdDSA` leaves the curve open."""
TYPE = "at+jwt"
ISSUER = AUDIENCE = "prodigon"
LEEWAY_SECONDS = 5
"""Clocks of two gateways differ by less."""
MOST_CHARACTERS = 4096
ASKED = {
    "iss": {"essential": True, "value": ISSUER},
    "aud": {"essential": True, "value": AUDIENCE},
    **{name: {"essential": True} for name in ("sub", "sid", "jti", "iat", "nbf", "exp")},
}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that is good says of its holder."""

    user: UserId
    login: LoginId


class AccessTokens:
    def __init__(
        self, keys: SigningKeys, *, seconds: float = 600.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.seconds = seconds
        self._keys, self._clock = keys, clock

    async def issue(self, user: UserId, role: Role, login: LoginId) -> str:
        signing = await self._keys.signing()
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user),
            "role": role.value,
            "sid": str(login),
            "jti": str(uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + int(self.seconds),
        }
        header = {"alg": ALGORITHM, "kid": signing.kid, "typ": TYPE}
        return jwt.encode(header, claims, signing.key, algorithms=[ALGORITHM])

    async def read(self, token: str) -> Claims:
        """Raises Unauthenticated: it is none of ours, or its time is over."""
        try:
            signed = extract_compact(token[: MOST_CHARACTERS + 1].encode("ascii"))
            header = signed.headers()
        except (JoseError, ValueError):
            raise refusal() from None
        kid = header.get("kid")
        key = await self._keys.verifying(kid) if isinstance(kid, str) else None
        if key is None or len(token) > MOST_CHARACTERS or header.get("typ") != TYPE:
            raise refusal()
        asked = jwt.JWTClaimsRegistry(lambda: int(self._clock()), LEEWAY_SECONDS, **ASKED)  # type: ignore[arg-type]
        try:
            claims = jwt.decode(token, key.key, algorithms=[ALGORITHM]).claims
            asked.validate(claims)
            return Claims(UserId(UUID(claims["sub"])), LoginId(UUID(claims["sid"])))
        except ExpiredTokenError:
            raise Unauthenticated("the access token has expired", code="TOKEN_EXPIRED") from None
        except (JoseError, ValueError, TypeError, AttributeError):
            raise refusal() from None


def refusal() -> Unauthenticated:
    """The same for every fault: it says neither what was wrong nor whether there is such a key."""
    return Unauthenticated("the credential is not good, or not any more")
