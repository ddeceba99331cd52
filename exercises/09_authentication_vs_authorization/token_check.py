"""Exercise 9.2: look at tokens as an attacker does.

Access tokens are JWTs, signed with Ed25519. The header names the key (`kid`), and `folder` holds the public
keys that count now, one in each `<kid>.pem`; keys come and go while the gateway runs. Done when

- a token of any key in the folder is taken: `verify` returns its claims;
- `Refused`, and no other error, meets all else: forged, tampered with, malformed, of another issuer or for
  another audience, expired or not valid yet, without one of the CLAIMS, of a login that is in `revoked`;
- a refresh token is good for one use, can't be guessed, and is not to be found in the store;
- one that is used twice ends its login, and no other: its newest refresh token and its access tokens too.

A login's id is the claim `sid`. The gateways share `store` and `revoked`.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Container, MutableMapping, MutableSet
from hashlib import sha256
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

CLAIMS = ("iss", "aud", "sub", "sid", "iat", "nbf", "exp")


class Refused(Exception):
    """401, and no word of why."""


def part(token: str, place: int) -> Any:
    """Header (0) or claims (1), as they are written: nothing of them is proven."""
    text = token.split(".")[place]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Verifier:
    """Says whose an access token is. `clock` is in seconds since 1970."""

    def __init__(
        self, folder: Path, *, issuer: str, audience: str, revoked: Container[str],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.folder, self.issuer, self.audience = folder, issuer, audience
        self.revoked, self.clock = revoked, clock

    def verify(self, token: str) -> dict[str, Any]:
        """The claims. Raises `Refused`."""
        # TODO Believe nothing that a token says of itself: say here which algorithm and keys count.
        header = part(token, 0)
        if header["alg"] == "none":
            return part(token, 1)
        pem = (self.folder / f"{header['kid']}.pem").read_bytes()
        return jwt.decode(token, OKPKey.import_key(pem), algorithms=[header["alg"]]).claims


class Refreshes:
    """Refresh tokens; `store` is all that is kept of them, and who adds a login's id to `revoked` ends it."""

    def __init__(self, store: MutableMapping[str, Any], revoked: MutableSet[str]) -> None:
        self.store, self.revoked = store, revoked

    def begin(self, sid: str) -> str:
        """A refresh token for that login."""
        # TODO Draw one that nobody guesses, and keep what is of no use to a thief.
        token = sha256(f"{sid} {len(self.store)}".encode()).hexdigest()
        self.store[token] = sid
        return token

    def rotate(self, token: str) -> str:
        """The next refresh token for this one. Raises `Refused`."""
        # TODO Take each token once; when one comes twice, a thief or the owner has a copy: end the login.
        if token not in self.store:
            raise Refused
        return token
