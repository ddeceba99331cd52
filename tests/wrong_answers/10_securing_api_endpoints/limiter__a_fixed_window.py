# fails: fiftieth of a second
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
        window = self.burst / self.per_second
        self.store.execute("BEGIN IMMEDIATE")
        try:
            spent, began = self.store.execute(READ, (caller,)).fetchone() or (0, now)
            if now - began >= window:
                spent, began = 0, now
            if spent + cost > self.burst:
                return math.inf if cost > self.burst else began + window - now
            self.store.execute(WRITE, (caller, spent + cost, began))
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
