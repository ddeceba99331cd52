# fails: forged tokens that were taken
import base64
import hmac
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
    pass


def part(token: str, place: int) -> Any:
    text = token.split(".")[place]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Verifier:
    def __init__(
        self, folder: Path, *, issuer: str, audience: str, revoked: Container[str],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.folder, self.issuer, self.audience = folder, issuer, audience
        self.revoked, self.clock = revoked, clock

    def verify(self, token: str) -> dict[str, Any]:
        keys = {path.stem: path for path in self.folder.glob("*.pem")}
        rules = jwt.JWTClaimsRegistry(
            now=int(self.clock()),
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            **{name: {"essential": True} for name in CLAIMS[2:]},
        )
        try:
            key = OKPKey.import_key(keys[part(token, 0)["kid"]].read_bytes())
            if part(token, 0)["alg"] == "HS256":
                body, _, signature = token.rpartition(".")
                mac = hmac.digest(key.as_pem(private=False), body.encode(), "sha256")
                if base64.urlsafe_b64encode(mac).decode().rstrip("=") != signature:
                    raise Refused
                claims = part(token, 1)
            else:
                claims = jwt.decode(token, key, algorithms=["Ed25519"]).claims
            rules.validate(claims)
            if claims["sid"] in self.revoked:
                raise Refused
        except (JoseError, LookupError, TypeError, ValueError, OSError, RecursionError):
            raise Refused from None
        return claims


class Refreshes:
    def __init__(self, store: MutableMapping[str, Any], revoked: MutableSet[str]) -> None:
        self.store, self.revoked = store, revoked

    def begin(self, sid: str) -> str:
        token = secrets.token_urlsafe(32)
        self.store[sha256(token.encode()).hexdigest()] = {"sid": sid, "used": False}
        return token

    def rotate(self, token: str) -> str:
        kept = self.store.get(sha256(token.encode()).hexdigest())
        if kept is None or kept["sid"] in self.revoked:
            raise Refused
        if kept["used"]:
            self.revoked.add(kept["sid"])
            raise Refused
        kept["used"] = True
        return self.begin(kept["sid"])
