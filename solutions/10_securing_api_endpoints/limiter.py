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
        # <gap> Let what was spent come back with time, and let no other process in between read and write.
        # The lock to write, from the start: BEGIN alone asks for it after others may have read, too.
        # In Redis a script does it, by its own clock. One moment a caller, as GCRA keeps, would do as well.
        self.store.execute("BEGIN IMMEDIATE")
        try:
            tokens, at = self.store.execute(READ, (caller,)).fetchone() or (self.burst, now)
            later = max(at, now)  # a clock that is behind takes no time back: it would be given twice
            tokens = min(self.burst, tokens + (later - at) * self.per_second)
            if cost > tokens:
                return math.inf if cost > self.burst else later - now + (cost - tokens) / self.per_second
            self.store.execute(WRITE, (caller, tokens - cost, later))
            return 0.0
        finally:
            self.store.execute("COMMIT")
        # </gap>


def cost_of(prompt: str, max_tokens: int) -> int:
    """Tokens that a request may use, counted before the model is asked."""
    # <gap> Count what the model may have to do: about CHARACTERS_A_TOKEN characters of a prompt are a token.
    # | return 1
    # What the answer did not use could be given back after it; what it uses can't be taken after it.
    return math.ceil(len(prompt) / CHARACTERS_A_TOKEN) + max_tokens
    # </gap>


def caller_of(peer: str, forwarded: str, proxies: Collection[str]) -> str:
    """Whom to count: `peer` is connected to us, `forwarded` the X-Forwarded-For, `proxies` are our own."""
    # <gap> Each proxy adds at the end whom it heard. Which of them may you believe?
    # | return forwarded.split(",")[0].strip() or peer
    # From the end, as far as proxies of ours vouch for it. Have the outermost proxy set the header anew, and
    # there is nothing before that.
    for said in reversed(forwarded.split(",")):
        if peer not in proxies or not said.strip():
            break
        peer = said.strip()
    return peer
    # </gap>
