"""Exercise 9.1: log in safely.

A login that gives a thief of the database little, and a guesser nothing. Done when

- a password is kept as an Argon2id hash that `hasher` made, each with a salt of its own;
- an unknown name and a wrong password get the same reply, and cost the hasher the same work;
- after three failures in a row a name has to wait: 1 second, and twice as long after each further failure,
  15 minutes at most. While it waits every try gets 429, with `Retry-After` in whole seconds, rounded up: also
  one with the right password, also for a name that nobody has. Such a try costs the hasher nothing, and
  makes the wait no longer;
- a login sets a name's failures back to none;
- a hash that was made with older parameters is replaced at the next login.
"""

# <solution>
import math
import secrets

# </solution>
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


# <solution>
@dataclass
class Failures:
    """In a row; before `again_at`, on the login's clock, no further try is looked at."""

    count: int = 0
    again_at: float = 0.0


# </solution>
class Logins:
    """`accounts` has a hash for each name; `clock` is in seconds."""

    def __init__(
        self, accounts: MutableMapping[str, str], hasher: PasswordHasher, clock: Callable[[], float]
    ) -> None:
        self.accounts, self.hasher, self.clock = accounts, hasher, clock
        # <gap> Prepare what an unknown name needs.
        # | self.failures: dict[str, int] = {}
        # Checked for a name that nobody has, at the same cost. It opens nothing.
        self.nobodys = hasher.hash(secrets.token_hex())
        # Names that nobody has stand here too. In production it needs a bound, and a place that all gateways
        # share: the library keeps it in Redis.
        self.failures: dict[str, Failures] = {}
        # </gap>

    def register(self, name: str, password: str) -> None:
        # <gap> Keep what is of little use to a thief.
        # | self.accounts[name] = password
        self.accounts[name] = self.hasher.hash(password)
        # </gap>

    def log_in(self, name: str, password: str) -> Reply:
        """200, 401, or 429 while the name has to wait."""
        # <gap> Tell a guesser nothing, in words, in work, or in who has to wait.
        # | if name not in self.accounts:
        # |     return Reply(404, f"there is no {name}")
        # | if password != self.accounts[name]:
        # |     return Reply(401, "this is not your password")
        # | return Reply(200, f"welcome, {name}")
        failures = self.failures.setdefault(name, Failures())
        if (wait := failures.again_at - self.clock()) > 0:
            return Reply(429, "too many tries", {"Retry-After": str(math.ceil(wait))})
        if not self.is_right(name, password):
            failures.count += 1
            if (over := failures.count - FREE_TRIES) >= 0:
                failures.again_at = self.clock() + min(FIRST_WAIT * 2**over, LONGEST_WAIT)
            return Reply(401, "wrong name or password")
        del self.failures[name]
        if self.hasher.check_needs_rehash(self.accounts[name]):
            self.accounts[name] = self.hasher.hash(password)
        return Reply(200, f"welcome, {name}")
        # </gap>

    # <solution>
    def is_right(self, name: str, password: str) -> bool:
        try:
            self.hasher.verify(self.accounts.get(name, self.nobodys), password)
        except VerifyMismatchError:
            return False
        return name in self.accounts

    # </solution>
