# fails: an old hash after a wrong password
import math
import secrets
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

FREE_TRIES = 3
FIRST_WAIT = 1.0
LONGEST_WAIT = 900.0


@dataclass(frozen=True)
class Reply:
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Failures:
    count: int = 0
    again_at: float = 0.0


class Logins:
    def __init__(
        self, accounts: MutableMapping[str, str], hasher: PasswordHasher, clock: Callable[[], float]
    ) -> None:
        self.accounts, self.hasher, self.clock = accounts, hasher, clock
        self.nobodys = hasher.hash(secrets.token_hex())
        self.failures: dict[str, Failures] = {}

    def register(self, name: str, password: str) -> None:
        self.accounts[name] = self.hasher.hash(password)

    def log_in(self, name: str, password: str) -> Reply:
        failures = self.failures.setdefault(name, Failures())
        if (wait := failures.again_at - self.clock()) > 0:
            return Reply(429, "too many tries", {"Retry-After": str(math.ceil(wait))})
        kept = self.accounts.get(name)
        if kept and self.hasher.check_needs_rehash(kept):
            self.accounts[name] = self.hasher.hash(password)
        if not self.is_right(name, password):
            failures.count += 1
            if (over := failures.count - FREE_TRIES) >= 0:
                failures.again_at = self.clock() + min(FIRST_WAIT * 2**over, LONGEST_WAIT)
            return Reply(401, "wrong name or password")
        del self.failures[name]
        return Reply(200, f"welcome, {name}")

    def is_right(self, name: str, password: str) -> bool:
        try:
            self.hasher.verify(self.accounts.get(name, self.nobodys), password)
        except VerifyMismatchError:
            return False
        return name in self.accounts
