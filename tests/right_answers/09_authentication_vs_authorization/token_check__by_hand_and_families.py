"""The signature by hand, a kid of plain letters; a family of refresh tokens has one current one."""

import base64
import json
import math
import re
import secrets
import time
from hashlib import blake2b

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


class Refused(Exception):
    pass


def raw(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


class Verifier:
    def __init__(self, folder, *, issuer, audience, revoked, clock=time.time):
        self.folder, self.issuer, self.audience = folder, issuer, audience
        self.revoked, self.clock = revoked, clock

    def verify(self, token):
        try:
            return self.claims(token)
        except Refused:
            raise
        except (Exception, RecursionError):
            raise Refused from None

    def claims(self, token):
        header, body, signature = token.split(".")
        head = json.loads(raw(header))
        if head["alg"] != "Ed25519" or not re.fullmatch("[a-z]{1,40}", head["kid"]):
            raise Refused
        key = load_pem_public_key((self.folder / f"{head['kid']}.pem").read_bytes())
        assert isinstance(key, Ed25519PublicKey)
        try:
            key.verify(raw(signature), f"{header}.{body}".encode())
        except InvalidSignature:
            raise Refused from None
        claims = json.loads(raw(body))
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        times = [claims[name] for name in ("iat", "nbf", "exp")]
        good = all(type(each) in (int, float) and math.isfinite(each) for each in times)
        good = good and times[1] <= self.clock() + 5 and self.clock() - 5 < times[2]
        good = good and claims["iss"] == self.issuer and self.audience in audience
        good = good and isinstance(claims["sub"], str) and claims["sid"] not in self.revoked
        if not good:
            raise Refused
        return claims


class Refreshes:
    """A token is the family and a secret: `family.secret`."""

    def __init__(self, store, revoked):
        self.store, self.revoked = store, revoked

    def begin(self, sid):
        family = secrets.token_hex(8)
        self.store[family] = [sid, ""]
        return self.next(family)

    def next(self, family):
        secret = secrets.token_hex(32)
        self.store[family][1] = blake2b(secret.encode()).hexdigest()
        return f"{family}.{secret}"

    def rotate(self, token):
        family, _, secret = token.partition(".")
        sid, current = self.store.get(family, (None, ""))
        if sid is None or sid in self.revoked:
            raise Refused
        if not secrets.compare_digest(blake2b(secret.encode()).hexdigest(), current):
            self.revoked.add(sid)
            raise Refused
        return self.next(family)
