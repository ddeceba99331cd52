"""Access tokens as an attacker makes them: exercise 9.2's and the notebook's list of attacks."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOUR = 3600.0
TYPE = "at+jwt"
"""Of access tokens (RFC 9068), so that no other kind of token passes for one."""


@dataclass(frozen=True)
class SigningKey:
    """A key pair and the name it is known by."""

    kid: str
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def pem(self) -> bytes:
        """Of its public half, which anybody may have."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def jwk(self) -> dict[str, str]:
        """The public half, as a header may carry it."""
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": encoded(raw)}

    def publish(self, folder: Path) -> None:
        (folder / f"{self.kid}.pem").write_bytes(self.pem)

    def withdraw(self, folder: Path) -> None:
        (folder / f"{self.kid}.pem").unlink()

    def sign(self, claims: object, header: Mapping[str, Any] | None = None) -> str:
        """A token; what is in `header` stands in place of what belongs there."""
        body = unsigned({"alg": "Ed25519", "kid": self.kid, "typ": TYPE, **(header or {})}, claims)
        return f"{body}.{encoded(self.private.sign(body.encode()))}"


@dataclass(frozen=True)
class Issuer:
    """Says what a good token has in it. Times are in seconds since 1970."""

    issuer: str
    audience: str
    now: float = field(default_factory=time.time)

    def claims(self, user: str, login: str, /, **others: Any) -> dict[str, Any]:
        """What a good token says; what is named in `others` stands in its place, and `None` leaves it out."""
        now = int(self.now)
        good = {
            "iss": self.issuer, "aud": self.audience, "sub": user, "sid": login, "role": "learner",
            "jti": token_hex(8), "iat": now, "nbf": now, "exp": now + 600, **others,
        }  # fmt: skip
        return {name: value for name, value in good.items() if value is not None}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unsigned(header: object, claims: object) -> str:
    return ".".join(encoded(json.dumps(each).encode()) for each in (header, claims))


def macced(header: Mapping[str, Any], claims: object, secret: bytes) -> str:
    """Signed with a shared secret: HS256."""
    body = unsigned(header, claims)
    return f"{body}.{encoded(hmac.digest(secret, body.encode(), sha256))}"


def forgeries(key: SigningKey, attackers: SigningKey, good: Mapping[str, Any]) -> dict[str, str]:
    """Tokens that `key` never signed. What `attackers` signs is named as the case needs it."""
    kid, wanted = key.kid, {**good, "role": "operator"}
    token = key.sign(good)
    head, body, signature = token.split(".")
    other_body = unsigned({}, wanted).split(".")[1]
    named = {"kid": kid, "typ": TYPE}
    return {
        "alg none": unsigned({"alg": "none", **named}, wanted) + ".",
        "alg None, in other letters": unsigned({"alg": "nOnE", **named}, wanted) + ".",
        "no alg at all": unsigned(named, wanted) + f".{signature}",
        "HS256 with our public key as the secret": macced({"alg": "HS256", **named}, wanted, key.pem),
        "HS256 with an empty secret": macced({"alg": "HS256", **named}, wanted, b""),
        "claims changed": f"{head}.{other_body}.{signature}",
        "signature left out": f"{head}.{body}.",
        "signature cut short": token[:-6],
        "signed by another key under our kid": attackers.sign(wanted, named),
        "the key itself in the header": attackers.sign(wanted, {**named, "jwk": attackers.jwk}),
        "the key in the header, and no kid": attackers.sign(wanted, {"kid": None, "jwk": attackers.jwk}),
        "a kid that nobody has": attackers.sign(wanted),
    }


def misdirected(key: SigningKey, issuer: Issuer, user: str, sid: str) -> dict[str, str]:
    """Tokens that `key` did sign: for somebody else, or for another time."""
    now = int(issuer.now)
    wrong: dict[str, dict[str, Any]] = {
        "for another audience": {"aud": "another-service"},
        "for a list of other audiences": {"aud": ["another-service", issuer.audience + "x"]},
        "of another issuer": {"iss": "https://another.example"},
        "expired an hour ago": {"iat": now - 2 * HOUR, "nbf": now - 2 * HOUR, "exp": now - HOUR},
        "not valid before the next hour": {"nbf": now + HOUR, "exp": now + 2 * HOUR},
        "expires as text": {"exp": str(now + 600)},
        "expires at NaN": {"exp": float("nan")},
        **{f"without {name}": {name: None} for name in ("iss", "aud", "sub", "sid", "iat", "nbf", "exp")},
    }
    return {name: key.sign(issuer.claims(user, sid, **change)) for name, change in wrong.items()}


def traversals(folder: Path, attackers: SigningKey, good: Mapping[str, Any]) -> dict[str, str]:
    """Tokens whose kid leads out of `folder`, to a file that the attacker could put beside it."""
    uploads = folder.parent / f"{folder.name}-uploads"
    uploads.mkdir(exist_ok=True)
    SigningKey("mine", attackers.private).publish(uploads)
    (folder / "old").mkdir(exist_ok=True)
    kids = (f"../{uploads.name}/mine", str(uploads / "mine"), f"old/../../{uploads.name}/mine", "", ".", "..")
    above = str(folder.parent)  # another on each machine, and at each check
    return {f"kid {kid.replace(above, '…')!r}": attackers.sign(good, {"kid": kid}) for kid in kids}


def malformed(key: SigningKey, good: Mapping[str, Any]) -> dict[str, str]:
    """What is no token at all, or hardly."""
    head, body, signature = key.sign(good).split(".")
    kids: dict[str, object] = {
        "a number": 7, "a list": ["a", "b"], "a table": {"a": 1}, "nothing": None, "a null byte": "a\0b",
        "very long": "k" * 5000,
    }  # fmt: skip
    return {
        "no text": "",
        "one part": head,
        "two parts": f"{head}.{body}",
        "four parts": f"{head}.{body}.{signature}.{signature}",
        "no base64": "€.€.€",
        "no JSON": f"{encoded(b'no json')}.{body}.{signature}",
        "not UTF-8": f"{encoded(bytes([255, 254]))}.{body}.{signature}",
        "a header that is a list": f"{encoded(b'[1]')}.{body}.{signature}",
        "a header that is a text": f"{encoded(b'null')}.{body}.{signature}",
        "claims that are a list": key.sign([1, 2]),
        "claims that are a number": key.sign(7),
        "deeply nested": f"{encoded(b'[' * 100_000)}.{body}.{signature}",
        **{f"a kid that is {what}": key.sign(good, {"kid": kid}) for what, kid in kids.items()},
        "aud that is a table": key.sign({**good, "aud": {"a": 1}}),
        "sid that is a list": key.sign({**good, "sid": ["a"]}),
    }
