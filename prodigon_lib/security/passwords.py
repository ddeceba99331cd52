"""Passwords: Argon2id hashes, made beside the event loop, and what a password must be."""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from prodigon_lib.core.errors import RateLimited, ValidationFailed
from prodigon_lib.security.common_passwords import COMMON

MIN_LENGTH = 8
MAX_LENGTH = 1024
"""Long ones cost time: without an end, a megabyte of password is a way to keep a gateway busy."""

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
"""OWASP's figures for Argon2id: one guess takes 19 MiB of memory, two at once fit into any gateway."""

THREADS = 2
MOST_WAITING = 256

Result = TypeVar("Result")


class Passwords:
    """Hashes and checks. A hash is slow by design, so few run at once, some wait, and the rest is refused.

    passwords = Passwords()
    hash = await passwords.hash("correct horse battery staple")
    assert await passwords.verify(hash, "correct horse battery staple")
    """

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        lanes: int = LANES,
        threads: int = THREADS,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._room = threads + MOST_WAITING
        self._nobodys = no_hash(self._hasher)

    async def hash(self, password: str) -> str:
        """Raises RateLimited: too many are being hashed."""
        return await self._run(lambda: self._hasher.hash(plain(password)))

    async def verify(self, hash: str | None, password: str) -> bool:
        """Without a hash the answer is no, and takes as long: it must not tell which names exist.

        Raises:
            RateLimited: too many are being checked.
        """
        matches = await self._run(lambda: self._matches(hash or self._nobodys, plain(password)))
        return matches and hash is not None

    def outdated(self, hash: str) -> bool:
        """It was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hash)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._room <= 0:
            raise RateLimited("too many passwords are being checked", retry_after=1)
        self._room -= 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._free)  # not when the caller leaves: the thread works on
        return await asyncio.shield(future)

    def _free(self, _: object) -> None:
        self._room += 1


def plain(password: str) -> str:
    """One spelling for what looks the same: keyboards differ in how they write an accent."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, name: str) -> None:
    """What NIST SP 800-63B asks for: a length, none of those tried first, and no rules on characters.

    Raises:
        ValidationFailed: it is no good; the message holds none of it.
    """
    text = plain(password)
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        raise ValidationFailed(f"password: must have {MIN_LENGTH} to {MAX_LENGTH} characters")
    if text.casefold() in COMMON or text.casefold() == name.casefold() or len(set(text)) == 1:
        raise ValidationFailed("password: is one of those that are tried first")


def no_hash(hasher: PasswordHasher) -> str:
    """A hash that no password has, and that takes as long to check as any other."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"
