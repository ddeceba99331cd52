"""One OpenID Connect provider: authorization code with PKCE, and an id token that is checked.

What a login needs when its browser comes back (state, nonce, verifier) is sealed into a cookie of that
browser. So no gateway has to keep it, and a callback that somebody else's browser began is refused.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from prodigon_lib.core.errors import SecretUnreadable, Unauthenticated, UpstreamError
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.oidc_wire import ProviderWire

ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519"]
"""Whatever the token's header says: none with a shared secret, and not `none`."""
PURPOSE = "oidc login"
SCOPE = "openid profile"
LOGIN_SECONDS = 600
KEPT_SECONDS = 3600.0
KEYS_AGAIN_SECONDS = 60.0
"""An id token with an unknown key makes a gateway ask for the keys at most that often."""
LEEWAY_SECONDS = 30
MAX_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it brings back. Neither is in a `repr`."""

    url: str = field(repr=False)
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is there. `name` is what they call themselves: nothing that they could be known by."""

    issuer: str
    subject: str
    name: str


class OidcProvider:
    def __init__(
        self,
        wire: ProviderWire,
        envelope: Envelope,
        *,
        issuer: str,
        client_id: str,
        redirect_url: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._wire, self._envelope, self._clock = wire, envelope, clock
        self._issuer, self._client_id, self.redirect_url = issuer, client_id, redirect_url
        self._about: Mapping[str, Any] = {}
        self._keys = KeySet([])
        self._read_at = float("-inf")

    async def begin(self) -> Begun:
        """Raises UpstreamUnavailable, UpstreamError: the provider is away, or is none."""
        about = await self._discovered()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self.redirect_url,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "at": self._clock()}
        sealed = self._envelope.seal(json.dumps(kept).encode(), purpose=PURPOSE)
        address = str(about["authorization_endpoint"])
        mark = "&" if "?" in address else "?"
        return Begun(f"{address}{mark}{urlencode(asked)}", base64.urlsafe_b64encode(sealed).decode())

    async def finish(self, *, code: str, state: str, issuer: str | None, cookie: str) -> Identity:
        """Who came back.

        Args:
            issuer: who says it has answered (RFC 9207), where it says so.

        Raises:
            Unauthenticated: another browser began this login, it took too long, or what the provider gave is
                not good.
            UpstreamUnavailable, UpstreamError: the provider is away, or is none.
        """
        begun = self._begun(cookie)
        if not hmac.compare_digest(begun["state"].encode(), state.encode()):
            raise refusal()
        if issuer is not None and issuer != self._issuer:
            raise refusal()
        about = await self._discovered()
        token = await self._wire.exchange(about, code, begun["verifier"], self.redirect_url)
        return await self.identity_in(token, begun["nonce"])

    async def identity_in(self, token: str, nonce: str) -> Identity:
        """Raises Unauthenticated: the id token is not by this provider, not for us, or not of this login."""
        claims = await self._claims(token)
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        party = claims.get("azp", self._client_id if len(audiences) == 1 else None)
        subject = claims["sub"]
        if party != self._client_id or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise refusal()
        if not 0 < len(subject) <= MAX_SUBJECT or "\0" in subject:
            raise refusal()
        return Identity(self._issuer, subject, str(claims.get("preferred_username") or ""))

    def _begun(self, cookie: str) -> dict[str, Any]:
        try:
            sealed = base64.b64decode(cookie, altchars=b"-_", validate=True)
            begun: dict[str, Any] = json.loads(self._envelope.open(sealed, purpose=PURPOSE))
        except (ValueError, SecretUnreadable):
            raise refusal() from None
        if self._clock() - begun["at"] > LOGIN_SECONDS:
            raise refusal()
        return begun

    async def _claims(self, token: str) -> dict[str, Any]:
        """A key that is not known yet may be a new one: the keys are read again, and then it must be."""
        asked = jwt.JWTClaimsRegistry(
            lambda: int(self._clock()),
            LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            **{name: {"essential": True} for name in ("sub", "exp", "iat", "nonce")},  # type: ignore[arg-type]
        )
        for again in (False, True):
            await self._discovered(KEYS_AGAIN_SECONDS if again else KEPT_SECONDS)
            try:
                claims = jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
                asked.validate(claims)
                return claims
            except (JoseError, ValueError, TypeError, AttributeError):
                continue
        raise refusal()

    async def _discovered(self, seconds: float = KEPT_SECONDS) -> Mapping[str, Any]:
        """What the provider says of itself, and its keys; from the last time where that is not long ago."""
        if self._clock() - self._read_at >= seconds:
            about = await self._wire.about(self._issuer)
            if about.get("issuer") != self._issuer:
                raise UpstreamError("the OIDC provider says that it is another one than OIDC_ISSUER")
            try:
                self._keys = KeySet.import_key_set(await self._wire.keys(about))  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError):
                raise UpstreamError("the OIDC provider gave no keys that can be read") from None
            self._about, self._read_at = about, self._clock()
        return self._about


def challenge(verifier: str) -> str:
    """RFC 7636, `S256`."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def refusal() -> Unauthenticated:
    """The same for every fault, as for any other credential."""
    return Unauthenticated("this login is not good, or not any more: begin it again")
