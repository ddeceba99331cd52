"""Envelope encryption of what must be read back: a token signing key, an OIDC client's secret.

Each record is sealed under a data key of its own, and that key is wrapped under a named version of ours. So a
new version wraps a few bytes again and leaves the records as they are, and no key of ours meets much data.

    format 1 | length of the name | name | nonce 12 | wrapped data key 48 | nonce 12 | record + 16

Both are AES-256-GCM. The purpose is authenticated with both, so that what was sealed as a client's secret is
never opened as a signing key; the name of the version with the wrapped key, so that nobody can rename it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from prodigon_lib.core.errors import SecretUnreadable
from prodigon_lib.security.envelope_keys import KEY_BYTES, NAME, EnvelopeKeys

FORMAT = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES


class Envelope:
    """Seals under the newest key version, opens under any that it has.

    envelope = Envelope.of(EnvelopeKeys.parse(setting))
    sealed = envelope.seal(pem, purpose="token signing key")
    pem = envelope.open(sealed, purpose="token signing key")
    """

    def __init__(self, keys: Mapping[str, bytes], newest: str) -> None:
        """Args: `keys` are 32 bytes each, by the name of their version.

        Raises:
            ValueError: a key has another length, a name can't be written down, or `newest` is not there.
        """
        if newest not in keys:
            raise ValueError(f"there is no key {newest!r}")
        if not all(len(key) == KEY_BYTES and NAME.fullmatch(name) for name, key in keys.items()):
            raise ValueError(f"each key has a short name and {KEY_BYTES} bytes")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self.newest = newest

    @classmethod
    def of(cls, keys: EnvelopeKeys) -> "Envelope":
        return cls(keys.keys, keys.newest)

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """Args: `purpose` says what this is; whoever opens it must say the same."""
        data_key = AESGCM.generate_key(8 * KEY_BYTES)
        return self._wrap(data_key, purpose) + encrypt(AESGCM(data_key), plain, bound(FORMAT, purpose))

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Raises SecretUnreadable: its key is not here, or it was changed or sealed as something else."""
        parts = Parts.of(sealed)
        data_key = self._unwrap(parts, purpose)
        return decrypt(AESGCM(data_key), parts.record, bound(FORMAT, purpose))

    def rewrap(self, sealed: bytes, *, purpose: str) -> bytes:
        """The same record under the newest key version: what rotation does, after which the old one may go.

        Raises:
            SecretUnreadable: as `open`.
        """
        parts = Parts.of(sealed)
        return self._wrap(self._unwrap(parts, purpose), purpose) + parts.record

    def _wrap(self, data_key: bytes, purpose: str) -> bytes:
        name = self.newest.encode()
        head = FORMAT + bytes([len(name)]) + name
        return head + encrypt(self._keys[self.newest], data_key, bound(head, purpose))

    def _unwrap(self, parts: "Parts", purpose: str) -> bytes:
        if (key := self._keys.get(parts.name)) is None:
            raise SecretUnreadable(f"it was sealed under the key '{parts.name}', which ENVELOPE_KEYS lacks")
        return decrypt(key, parts.wrapped, bound(parts.head, purpose))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a sealed record consists of."""

    head: bytes
    name: str
    wrapped: bytes
    record: bytes

    @classmethod
    def of(cls, sealed: bytes) -> "Parts":
        """Raises SecretUnreadable: it is nothing that was sealed here."""
        end = 2 + sealed[1] if len(sealed) > 1 else 0
        name = sealed[2:end].decode("ascii", "replace")
        shortest = end + WRAPPED_BYTES + NONCE_BYTES + TAG_BYTES
        if sealed[:1] != FORMAT or len(sealed) < shortest or not NAME.fullmatch(name):
            raise SecretUnreadable("it is nothing that was sealed by this version of the library")
        wrapped = end + WRAPPED_BYTES
        return cls(sealed[:end], name, sealed[end:wrapped], sealed[wrapped:])


def key_version(sealed: bytes) -> str:
    """The name of the key version that a record is sealed under: what still needs `rewrap`.

    Raises:
        SecretUnreadable: it is nothing that was sealed here.
    """
    return Parts.of(sealed).name


def bound(head: bytes, purpose: str) -> bytes:
    """What is authenticated and not encrypted; the head says its own length, so the two can't be mistaken."""
    return head + purpose.encode()


def encrypt(key: AESGCM, plain: bytes, beside: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, beside)


def decrypt(key: AESGCM, sealed: bytes, beside: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], beside)
    except InvalidTag:
        raise SecretUnreadable("it was changed, or sealed as something else or under another key") from None
