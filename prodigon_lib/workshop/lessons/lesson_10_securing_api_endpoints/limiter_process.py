"""A gateway's process, in which an answer to exercise 10.1 limits callers as often as it is told.

python limiter_process.py ANSWER DATABASE BURST PER_SECOND

Each line on its input is an order, answered by a line on its output: what came of each call, or what the
first fault said. `pause` seconds pass before each statement in the database, so that others come in between.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from prodigon_lib.workshop.checks.loading import load_module

WAIT_SECONDS = 8.0


def opened(database: Path) -> sqlite3.Connection:
    """A connection that waits for others, and writes quickly: nothing here must outlive the machine."""
    store = sqlite3.connect(database, isolation_level=None, timeout=WAIT_SECONDS)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = OFF")
    return store


def obey(limiter: Any, store: sqlite3.Connection, order: dict[str, Any]) -> dict[str, Any]:
    pause = order["pause"]
    store.set_trace_callback((lambda _: time.sleep(pause)) if pause else None)
    try:
        return {"waits": [float(limiter.take(*call)) for call in order["calls"]]}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}


def main(answer: str, database: str, burst: str, per_second: str) -> None:
    module = load_module(Path(answer))
    store = opened(Path(database))
    limiter = module.Limiter(store, burst=int(burst), per_second=float(per_second))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(limiter, store, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
