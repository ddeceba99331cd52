"""Refresh tokens: random text, stored as its hash, good once (`LoginRepository.renew`)."""

import hashlib
import secrets

REFRESH_PREFIX = "pdr_"
REFRESH_BYTES = 32


def draw_refresh_token() -> str:
    return REFRESH_PREFIX + secrets.token_urlsafe(REFRESH_BYTES)


def hashed(token: str) -> bytes:
    """SHA-256: the token has 256 random bits, and nobody guesses those."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
