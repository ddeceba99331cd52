"""The keys of `ENVELOPE_KEYS`, by the name of their version. Apart, as reading them needs no cryptography.

    2026-11:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=,2026-05:…

The first one seals; all of them open, so that a new key is put before the old one, which stays until nothing
that it sealed is left.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

KEY_BYTES = 32
"""AES-256."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FORM = "must be NAME:KEY, or several separated by commas, newest first; KEY is 32 bytes as base64"


@dataclass(frozen=True, slots=True)
class EnvelopeKeys:
    """Key versions and which of them is the newest. The keys are in no `repr`."""

    keys: Mapping[str, bytes] = field(repr=False)
    newest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError: the text is no list of keys; the message holds none of it."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            name, found, encoded = part.strip().partition(":")
            if not found or not NAME.fullmatch(name) or name in keys:
                raise ValueError(FORM)
            keys[name] = decoded(encoded)
        return cls(keys, next(iter(keys)))


def decoded(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError(FORM) from None
    if len(key) != KEY_BYTES:
        raise ValueError(FORM)
    return key


def draw_envelope_key(name: str) -> str:
    """A new key, as `ENVELOPE_KEYS` takes it."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
