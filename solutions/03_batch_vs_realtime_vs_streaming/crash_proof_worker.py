"""Exercise 3.3: a worker that may be killed at any moment.

Jobs are rows of a table, and so are their effects (think of a payment, a mail, a charge). A worker is killed
without warning, again and again, and started again; sometimes another one runs beside it. Done when

- every job's effect is there exactly once, whenever the worker was killed;
- no job stays `running`: a lease that ran out makes it free for the next claim;
- a worker that comes back after its lease ran out changes nothing any more;
- a job that kills whoever runs it is `dead` after `tries` claims, and the others are done.

The tables, in SQLite; each statement is its own transaction unless you write BEGIN IMMEDIATE and COMMIT:

    jobs(id, payload, status, tries, lease, lease_until)    status: waiting, running, done, dead
    effects(job, value)                                     nothing keeps you from writing one twice
"""

import sqlite3
import time
from collections.abc import Callable
from typing import NamedTuple


class Job(NamedTuple):
    id: int
    payload: str
    lease: str


def claim(database: sqlite3.Connection, lease_seconds: float, tries: int) -> Job | None:
    """A job to run, or `None` when there is none now."""
    # <gap> Claim a free job for `lease_seconds`, count the try, and set aside what had all its tries.
    # | row = database.execute("SELECT id, payload FROM jobs WHERE status = 'waiting'").fetchone()
    # | if row is None:
    # |     return None
    # | database.execute("UPDATE jobs SET status = 'running' WHERE id = ?", row[:1])
    # | return Job(*row, lease="")
    now = time.time()
    database.execute(
        "UPDATE jobs SET status = 'dead' WHERE status = 'running' AND lease_until < ? AND tries >= ?",
        (now, tries),
    )
    # One statement, so no other worker can come between looking and taking; SELECT and UPDATE between BEGIN
    # IMMEDIATE and COMMIT would do as well. The try is counted now: who is killed counts nothing later.
    row = database.execute(
        """
        UPDATE jobs SET status = 'running', tries = tries + 1, lease = hex(randomblob(16)), lease_until = ?
        WHERE id = (SELECT id FROM jobs
                    WHERE status = 'waiting' OR (status = 'running' AND lease_until < ?)
                    ORDER BY id LIMIT 1)
        RETURNING id, payload, lease
        """,
        (now + lease_seconds, now),
    ).fetchone()
    return None if row is None else Job(*row)
    # </gap>


def finish(database: sqlite3.Connection, job: Job, value: str) -> None:
    """Write the effect of a job that has run, and that it is done."""
    # <gap> Write both or neither, and only while the lease of this claim is in force.
    # | database.execute("INSERT INTO effects (job, value) VALUES (?, ?)", (job.id, value))
    # | database.execute("UPDATE jobs SET status = 'done' WHERE id = ?", (job.id,))
    database.execute("BEGIN IMMEDIATE")
    done = database.execute("UPDATE jobs SET status = 'done' WHERE id = ? AND lease = ?", (job.id, job.lease))
    if done.rowcount:
        # In the same transaction as the job's end. An effect in another system would need a key by which that
        # system knows a repetition; no order of two separate writes is safe from a crash between them.
        database.execute("INSERT INTO effects (job, value) VALUES (?, ?)", (job.id, value))
    database.execute("COMMIT")
    # </gap>


def work(
    database: sqlite3.Connection, run: Callable[[str], str], *, lease_seconds: float, tries: int
) -> None:
    """Run jobs until all are done or dead. `run` gives a job's value, slowly, and may kill this process."""
    left = "SELECT count(*) FROM jobs WHERE status IN ('waiting', 'running')"
    while database.execute(left).fetchone()[0]:
        job = claim(database, lease_seconds, tries)
        if job is None:
            time.sleep(lease_seconds / 10)  # somebody holds a lease: it ends, or runs out
        else:
            finish(database, job, run(job.payload))
