"""No lease as a token: the effect is written at most once, and the claim looks and takes under a lock."""

import time


def claim(database, lease_seconds, tries):
    database.execute("BEGIN IMMEDIATE")
    try:
        for id, payload, tried in database.execute(
            "SELECT id, payload, tries FROM jobs"
            " WHERE status = 'waiting' OR (status = 'running' AND lease_until < ?) ORDER BY tries, id",
            (time.time(),),
        ).fetchall():
            if tried >= tries:
                database.execute("UPDATE jobs SET status = 'dead' WHERE id = ?", (id,))
                continue
            database.execute(
                "UPDATE jobs SET status = 'running', tries = tries + 1, lease_until = ? WHERE id = ?",
                (time.time() + lease_seconds, id),
            )
            return id, payload
        return None
    finally:
        database.execute("COMMIT")


def work(database, run, *, lease_seconds, tries):
    left = "SELECT 1 FROM jobs WHERE status IN ('waiting', 'running')"
    while database.execute(left).fetchone():
        if (job := claim(database, lease_seconds, tries)) is None:
            time.sleep(0.02)
            continue
        id, payload = job
        value = run(payload)
        database.execute("BEGIN IMMEDIATE")
        database.execute(
            "INSERT INTO effects (job, value) SELECT ?, ?"
            " WHERE NOT EXISTS (SELECT 1 FROM effects WHERE job = ?)",
            (id, value, id),
        )
        database.execute("UPDATE jobs SET status = 'done' WHERE id = ?", (id,))
        database.execute("COMMIT")
