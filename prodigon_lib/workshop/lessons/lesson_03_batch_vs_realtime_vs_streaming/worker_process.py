"""A process in which an answer to exercise 3.3 works, until it has done all, or is killed.

python worker_process.py ANSWER DATABASE LEASE_SECONDS TRIES KILL_BEFORE SLOW

It imports nothing but the standard library: it is started often. It kills itself before SQL statement number
KILL_BEFORE (0: never), so that each moment between two writes can be met. With the job whose payload is
SLOW it waits for a line on its standard input before it goes on.
"""

import importlib.util
import os
import signal
import sqlite3
import sys

POISON = "poison"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killer:
    """Called before each statement; kills before number `moment`."""

    def __init__(self, moment: int) -> None:
        self.left = moment

    def __call__(self, _statement: str) -> None:
        self.left -= 1
        if self.left == 0:
            die()


def main(answer: str, database: str, lease_seconds: str, tries: str, moment: str, slow: str) -> None:
    spec = importlib.util.spec_from_file_location("crash_proof_worker", answer)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    connection = sqlite3.connect(database, timeout=5, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")  # only a power cut would lose by it

    def run(payload: str) -> str:
        print(f"run {payload}", flush=True)
        if payload.startswith(POISON):
            die()
        if payload == slow:
            sys.stdin.readline()
        return payload.upper()

    connection.set_trace_callback(Killer(int(moment)))
    module.work(connection, run, lease_seconds=float(lease_seconds), tries=int(tries))


if __name__ == "__main__":
    main(*sys.argv[1:])
