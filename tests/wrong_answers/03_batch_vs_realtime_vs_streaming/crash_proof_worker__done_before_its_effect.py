# fails: effect is missing
import time
from typing import NamedTuple
from uuid import uuid4


class Job(NamedTuple):
    id: int
    payload: str
    lease: str


def claim(database, lease_seconds, tries):
    now, lease = time.time(), uuid4().hex
    database.execute(
        "UPDATE jobs SET status = 'dead' WHERE status = 'running' AND lease_until < ? AND tries >= ?",
        (now, tries),
    )
    row = database.execute(
        "UPDATE jobs SET status = 'running', tries = tries + 1, lease = ?, lease_until = ?"
        " WHERE id = (SELECT id FROM jobs WHERE status = 'waiting'"
        " OR (status = 'running' AND lease_until < ?)"
        " ORDER BY id LIMIT 1) RETURNING id, payload",
        (lease, now + lease_seconds, now),
    ).fetchone()
    return None if row is None else Job(*row, lease=lease)


def finish(database, job, value):
    done = database.execute("UPDATE jobs SET status = 'done' WHERE id = ? AND lease = ?", (job.id, job.lease))
    if done.rowcount:
        database.execute("INSERT INTO effects (job, value) VALUES (?, ?)", (job.id, value))


def work(database, run, *, lease_seconds, tries):
    left = "SELECT count(*) FROM jobs WHERE status IN ('waiting', 'running')"
    while database.execute(left).fetchone()[0]:
        job = claim(database, lease_seconds, tries)
        if job is None:
            time.sleep(lease_seconds / 10)
        else:
            finish(database, job, run(job.payload))
