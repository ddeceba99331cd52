"""API keys: `pdg_<id>_<secret>`. The id finds the row, and of the secret only its hash is kept.

The secret has 256 random bits, which nobody guesses; so its hash is a fast one, and needs no salt.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from prodigon_lib.core.errors import Forbidden, ProdigonError
from prodigon_lib.core.ids import KeyId, new_key_id
from prodigon_lib.core.principal import Principal, Scope, scopes_of
from prodigon_lib.persistence.api_keys import ApiKey, ApiKeyRepository, LiveKey
from prodigon_lib.security.recall import Recall
from prodigon_lib.security.tokens import refusal

PREFIX = "pdg_"
"""Says what it is to whoever finds one, and to programs that look for leaked ones."""
FORM = re.compile(r"pdg_([A-Za-z0-9_-]{22})_([A-Za-z0-9_-]{43})")
SECRET_BYTES = 32
NOTED_SECONDS = 60.0
MOST_NOTED = 10_000


@dataclass(frozen=True, slots=True)
class KeyText:
    """A whole key, as its owner has it. It is in no `repr`."""

    id: KeyId
    text: str = field(repr=False)

    @classmethod
    def draw(cls) -> Self:
        id = new_key_id()
        return cls(id, f"{PREFIX}{shown_id(id)}_{secrets.token_urlsafe(SECRET_BYTES)}")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        found = FORM.fullmatch(text)
        if found is None:
            return None
        with suppress(ValueError, binascii.Error):
            id = KeyId(UUID(bytes=base64.urlsafe_b64decode(found[1] + "==")))
            return cls(id, text) if shown_id(id) == found[1] else None
        return None

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.text[-43:].encode()).digest()


def shown_id(key: KeyId) -> str:
    """What a key begins with after `pdg_`: enough to tell which one it is, and to use it for nothing."""
    return base64.urlsafe_b64encode(key.bytes).decode().rstrip("=")


class ApiKeys:
    def __init__(
        self,
        repository: ApiKeyRepository,
        recall: Recall[KeyId, LiveKey],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository, self._recall, self._clock = repository, recall, clock
        self._noted: dict[KeyId, float] = {}

    async def create(
        self, owner: Principal, *, name: str, scopes: frozenset[Scope], expires_at: datetime | None
    ) -> tuple[ApiKey, KeyText]:
        """A new key, and its text, which nobody can show again.

        Raises:
            Forbidden: the owner has one of the scopes not, or it is one that no key has.
            Conflict: there are too many.
        """
        beyond = scopes - (scopes_of(owner.role) - {Scope.ACCOUNT})
        if beyond:
            raise Forbidden(f"no key of yours may have the scope {min(beyond)}")
        key = KeyText.draw()
        made = await self._repository.create(
            owner.user, key.id, name=name, hash=key.hash, scopes=scopes, expires_at=expires_at
        )
        return made, key

    async def of(self, owner: Principal) -> list[ApiKey]:
        return await self._repository.of_user(owner.user)

    async def revoke(self, owner: Principal, key: KeyId) -> None:
        """At once here, and within seconds on the other gateways. Raises KeyNotFound."""
        await self._repository.revoke(owner.user, key)
        self.forget()

    def forget(self) -> None:
        """Look each key up again: something of its user's was changed here."""
        self._recall.clear()

    async def authenticate(self, text: str) -> Principal:
        """Raises Unauthenticated: it is none, it was revoked, or it has expired."""
        shown = KeyText.parse(text)
        if shown is None:
            raise refusal()
        live = await self._recall.get(shown.id, lambda: self._repository.live(shown.id))
        if live is None or not hmac.compare_digest(live.hash, shown.hash):
            raise refusal()
        await self._note(live.id)
        return Principal(live.user, live.role, live.scopes & scopes_of(live.role), key=live.id)

    async def _note(self, key: KeyId) -> None:
        """When it was used last, once a minute at most; that Postgres is away is no fault."""
        if self._clock() < self._noted.get(key, 0.0):
            return
        if len(self._noted) >= MOST_NOTED:
            self._noted.clear()
        self._noted[key] = self._clock() + NOTED_SECONDS
        with suppress(ProdigonError):
            await self._repository.used(key)
