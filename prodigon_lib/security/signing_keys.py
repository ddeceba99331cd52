"""The keys that access tokens are signed with: kept sealed in Postgres, shared by all gateways, rotated.

A gateway reads them again every few seconds, and a new key signs nothing before every gateway has seen it; an
old one is believed until the last token that it signed has run out. So a rotation refuses no token.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from joserfc.jwk import OKPKey

from prodigon_lib.core.errors import SecretUnreadable
from prodigon_lib.persistence.signing_keys import SealedKey, SigningKeyRepository
from prodigon_lib.security.envelope import Envelope, key_version

PURPOSE = "token signing key"
READ_AGAIN_SECONDS = 5.0
SIGNS_AFTER_SECONDS = 2 * READ_AGAIN_SECONDS
UNKNOWN_SECONDS = 1.0
"""A token with a key that nobody knows makes a gateway read them at most that often: it costs nothing to send
such tokens."""
STILL_SIGNS = timedelta(seconds=60)
"""After a newer one came, at the most: until that signs, and what clocks and slow requests add."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Args: `born` is by this process's clock."""

    kid: str
    born: float
    key: OKPKey = field(repr=False)


class SigningKeys:
    """Args: `days` is the age at which a key is replaced, without anybody asking for it."""

    def __init__(
        self,
        repository: SigningKeyRepository,
        envelope: Envelope,
        *,
        days: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository, self._envelope, self._clock = repository, envelope, clock
        self._replaced_after = timedelta(days=days)
        self._keys: dict[str, SigningKey] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def signing(self) -> SigningKey:
        """The newest that every gateway knows; where none is that old, the oldest."""
        await self._read_if_older(READ_AGAIN_SECONDS)
        keys, now = list(self._keys.values()), self._clock()
        return next((key for key in keys if now - key.born >= SIGNS_AFTER_SECONDS), keys[-1])

    async def verifying(self, kid: str) -> SigningKey | None:
        """That key, if it is one of ours that is believed."""
        await self._read_if_older(READ_AGAIN_SECONDS)
        if kid not in self._keys:
            await self._read_if_older(UNKNOWN_SECONDS)
        return self._keys.get(kid)

    async def rotate(self, *, at_once: bool = False) -> str:
        """Make a new key; its id.

        Args:
            at_once: the old ones are not believed any more, as when one was stolen. Every access token ends
                then, within seconds on the other gateways; clients get new ones by their refresh tokens.
        """
        kid, sealed = self._draw()
        async with self._reading:
            if at_once:
                self._take(await self._repository.replace_all(kid, sealed))
            else:
                self._take(await self._repository.add(kid, sealed, older_than=timedelta()))
        return kid

    async def reseal(self) -> int:
        """Wrap every key under the newest envelope key; how many were not. The old one may go afterwards."""
        keys = await self._repository.believed()
        old = [key for key in keys if key_version(key.sealed) != self._envelope.newest]
        for key in old:
            again = self._envelope.rewrap(key.sealed, purpose=PURPOSE)
            await self._repository.reseal(key.kid, key.sealed, again)
        return len(old)

    async def _read_if_older(self, seconds: float) -> None:
        if self._clock() - self._read_at < seconds:
            return
        async with self._reading:
            if self._clock() - self._read_at < seconds:  # somebody else was first
                return
            found = await self._repository.believed()
            if not found or found[0].age >= self._replaced_after:
                found = await self._repository.add(*self._draw(), older_than=self._replaced_after)
            self._take(found)

    def _take(self, found: Sequence[SealedKey]) -> None:
        now, known = self._clock(), self._keys
        self._keys = {
            key.kid: known.get(key.kid)
            or SigningKey(key.kid, now - key.age.total_seconds(), self._opened(key))
            for key in found
        }
        self._read_at = now

    def _opened(self, sealed: SealedKey) -> OKPKey:
        key = OKPKey.import_key(self._envelope.open(sealed.sealed, purpose=PURPOSE))
        if key.thumbprint() != sealed.kid:
            raise SecretUnreadable("a token signing key stands under another's id")
        return key

    def _draw(self) -> tuple[str, bytes]:
        key = OKPKey.generate_key("Ed25519")
        return key.thumbprint(), self._envelope.seal(key.as_pem(private=True), purpose=PURPOSE)
