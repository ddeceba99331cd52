# fails: whose worker lives
import time
from typing import NamedTuple
from uuid import uuid4


class Job(NamedTuple):
    id: int
    payload: str
    lease: str


def claim(database, lease_seconds, tries):
    now, lease = time.time(), uuid4().hex
    database.execute("UPDATE jobs SET status = 'dead' WHERE status = 'running' AND tries >= ?", (tries,))
    row = database.execute(
        "UPDATE jobs SET status = 'running', tries = tries + 1, lease = ?, lease_until = ?"
        " WHERE id = (SELECT id FROM jobs WHERE status = 'waiting' OR status = 'running'"
        " ORDER BY status DESC, id LIMIT 1) RETURNING id, payload",
        (lease, now + lease_seconds),
    ).fetchone()
    return None if row is None else Job(*row, lease=lease)


def finish(database, job, value):
    database.execute("BEGIN IMMEDIATE")
    done = database.execute("UPDATE jobs SET status = 'done' WHERE id = ? AND lease = ?", (job.id, job.lease))
    if done.rowcount:
        database.execute("INSERT INTO effects (job, value) VALUES (?, ?)", (job.id, value))
    database.execute("COMMIT")


def work(database, run, *, lease_seconds, tries):
    left = "SELECT count(*) FROM jobs WHERE status IN ('waiting', 'running')"
    while database.execute(left).fetchone()[0]:
        job = claim(database, lease_seconds, tries)
        if job is None:
            time.sleep(lease_seconds / 10)
        else:
            finish(database, job, run(job.payload))
