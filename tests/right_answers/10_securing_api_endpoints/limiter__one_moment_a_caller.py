"""GCRA: for each caller the moment at which all that was spent is back; changed in one statement."""

import math
import sqlite3
from collections.abc import Collection

TABLE = "CREATE TABLE IF NOT EXISTS due (caller TEXT PRIMARY KEY, at REAL NOT NULL)"
TAKE = """
INSERT INTO due VALUES (:caller, :now + :gain) ON CONFLICT (caller) DO UPDATE SET at = max(at, :now) + :gain
WHERE max(at, :now) + :gain - :now <= :most RETURNING at
"""


class Limiter:
    def __init__(self, store: sqlite3.Connection, *, burst: int, per_second: float) -> None:
        self.store, self.burst, self.per_second = store, burst, per_second
        store.execute(TABLE)

    def take(self, caller: str, cost: int, now: float) -> float:
        if cost > self.burst:
            return math.inf
        gain, most = cost / self.per_second, self.burst / self.per_second + 1e-7
        values = {"caller": caller, "now": now, "gain": gain, "most": most}
        if self.store.execute(TAKE, values).fetchall():
            return 0.0
        (at,) = self.store.execute("SELECT at FROM due WHERE caller = ?", (caller,)).fetchone()
        return max(at + gain - most - now, 1e-9)


def cost_of(prompt: str, max_tokens: int) -> int:
    return len(prompt) // 4 + 1 + max_tokens


def caller_of(peer: str, forwarded: str, proxies: Collection[str]) -> str:
    chain = [part.strip() for part in forwarded.split(",") if part.strip()] + [peer]
    while len(chain) > 1 and chain[-1] in proxies:
        chain.pop()
    return chain[-1]
