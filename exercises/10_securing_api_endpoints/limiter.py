"""Exercise 10.1: a rate limiter that holds.

Several gateways stand before one model, and share a database, an SQLite file here. Each asks this limiter
before it calls the model. Done when, to 5 %,

- a caller can spend `burst` tokens at once, and then `per_second` more each second: no more, and no less;
- no caller takes anything from another, and three processes give no more than one, whatever their clocks say;
- what is refused costs nothing, and the wait that it is told is true: a little sooner is too soon;
- a request costs the tokens that it may use, those of its prompt and of its answer, and not 1;
- nobody gets a second burst by what they write into X-Forwarded-For.
"""

import math
import sqlite3
from collections.abc import Collection

TABLE = "CREATE TABLE IF NOT EXISTS buckets (caller TEXT PRIMARY KEY, tokens REAL NOT NULL, at REAL NOT NULL)"
READ = "SELECT tokens, at FROM buckets WHERE caller = ?"
WRITE = "INSERT OR REPLACE INTO buckets VALUES (?, ?, ?)"
CHARACTERS_A_TOKEN = 4


class Limiter:
    """Each statement in `store` is a transaction of its own, unless you begin one."""

    def __init__(self, store: sqlite3.Connection, *, burst: int, per_second: float) -> None:
        self.store, self.burst, self.per_second = store, burst, per_second
        store.execute(TABLE)

    def take(self, caller: str, cost: int, now: float) -> float:
        """0.0 when `cost` is spent; else the seconds until it could be, `math.inf` when it never can.

        `now` is the time of the process that asks, in seconds.
        """
        # TODO Let what was spent come back with time, and let no other process in between read and write.
        raise NotImplementedError


def cost_of(prompt: str, max_tokens: int) -> int:
    """Tokens that a request may use, counted before the model is asked."""
    # TODO Count what the model may have to do: about CHARACTERS_A_TOKEN characters of a prompt are a token.
    return 1


def caller_of(peer: str, forwarded: str, proxies: Collection[str]) -> str:
    """Whom to count: `peer` is connected to us, `forwarded` the X-Forwarded-For, `proxies` are our own."""
    # TODO Each proxy adds at the end whom it heard. Which of them may you believe?
    return forwarded.split(",")[0].strip() or peer
