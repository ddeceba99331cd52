# fails: another caller after that
import math
import sqlite3
from collections.abc import Collection

TABLE = "CREATE TABLE IF NOT EXISTS buckets (caller TEXT PRIMARY KEY, tokens REAL NOT NULL, at REAL NOT NULL)"
READ = "SELECT tokens, at FROM buckets WHERE caller = ?"
WRITE = "INSERT OR REPLACE INTO buckets VALUES (?, ?, ?)"


class Limiter:
    def __init__(self, store: sqlite3.Connection, *, burst: int, per_second: float) -> None:
        self.store, self.burst, self.per_second = store, burst, per_second
        store.execute(TABLE)

    def take(self, caller: str, cost: int, now: float) -> float:
        self.store.execute("BEGIN IMMEDIATE")
        try:
            tokens, at = self.store.execute(READ, ("all",)).fetchone() or (self.burst, now)
            later = max(at, now)
            tokens = min(self.burst, tokens + (later - at) * self.per_second)
            if cost > tokens:
                return math.inf if cost > self.burst else later - now + (cost - tokens) / self.per_second
            self.store.execute(WRITE, ("all", tokens - cost, later))
            return 0.0
        finally:
            self.store.execute("COMMIT")


def cost_of(prompt: str, max_tokens: int) -> int:
    return math.ceil(len(prompt) / 4) + max_tokens


def caller_of(peer: str, forwarded: str, proxies: Collection[str]) -> str:
    for said in reversed(forwarded.split(",")):
        if peer not in proxies or not said.strip():
            break
        peer = said.strip()
    return peer
