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
    # TODO Claim a free job for `lease_seconds`, count the try, and set aside what had all its tries.
    row = database.execute("SELECT id, payload FROM jobs WHERE status = 'waiting'").fetchone()
    if row is None:
        return None
    database.execute("UPDATE jobs SET status = 'running' WHERE id = ?", row[:1])
    return Job(*row, lease="")


def finish(database: sqlite3.Connection, job: Job, value: str) -> None:
    """Write the effect of a job that has run, and that it is done."""
    # TODO Write both or neither, and only while the lease of this claim is in force.
    database.execute("INSERT INTO effects (job, value) VALUES (?, ?)", (job.id, value))
    database.execute("UPDATE jobs SET status = 'done' WHERE id = ?", (job.id,))


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
