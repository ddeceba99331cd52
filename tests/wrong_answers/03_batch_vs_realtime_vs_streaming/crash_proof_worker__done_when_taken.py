# fails: effect is missing
import time
from typing import NamedTuple


class Job(NamedTuple):
    id: int
    payload: str
    lease: str


def claim(database, lease_seconds, tries):
    row = database.execute(
        "UPDATE jobs SET status = 'done' WHERE id = (SELECT id FROM jobs WHERE status = 'waiting' LIMIT 1)"
        " RETURNING id, payload"
    ).fetchone()
    return None if row is None else Job(*row, lease="")


def finish(database, job, value):
    database.execute("INSERT INTO effects (job, value) VALUES (?, ?)", (job.id, value))


def work(database, run, *, lease_seconds, tries):
    left = "SELECT count(*) FROM jobs WHERE status IN ('waiting', 'running')"
    while database.execute(left).fetchone()[0]:
        job = claim(database, lease_seconds, tries)
        if job is None:
            time.sleep(lease_seconds / 10)
        else:
            finish(database, job, run(job.payload))
