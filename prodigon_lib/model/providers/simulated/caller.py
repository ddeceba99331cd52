"""Whose rate limit a request counts against."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b

ANYONE = "anyone"

current_caller: ContextVar[str] = ContextVar("current_caller", default=ANYONE)


@contextmanager
def calling_with(key: str | None) -> Iterator[None]:
    """Requests inside the block are made with this API key. Only a digest of it is kept."""
    digest = blake2b(key.encode(), digest_size=16).hexdigest() if key else ANYONE
    token = current_caller.set(digest)
    try:
        yield
    finally:
        current_caller.reset(token)


def bearer_key(headers: Mapping[str, str]) -> str | None:
    """The key in `Authorization: Bearer …`."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
