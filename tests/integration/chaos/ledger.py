"""What the database itself says of the queue: a trigger notes each result as it is written."""

from dataclasses import dataclass

import asyncpg

TRIGGER = """
CREATE TABLE IF NOT EXISTS chaos_ledger (job_id uuid, position int, status text);
CREATE OR REPLACE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status IN ('completed', 'failed')
       AND (OLD.status, OLD.result) IS DISTINCT FROM (NEW.status, NEW.result) THEN
        INSERT INTO chaos_ledger VALUES (NEW.job_id, NEW.position, NEW.status);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER chaos_note AFTER UPDATE ON job_prompts
    FOR EACH ROW EXECUTE FUNCTION chaos_note();
TRUNCATE chaos_ledger;
"""
WRITTEN_TWICE = """
SELECT count(*) FROM (SELECT FROM chaos_ledger GROUP BY job_id, position HAVING count(*) > 1) AS twice
"""
RUNNING = """
SELECT (SELECT count(*) FROM job_prompts WHERE status IN ('running', 'pending'))
     + (SELECT count(*) FROM batch_jobs WHERE status IN ('running', 'pending'))
"""
WRONG_COUNTS = """
SELECT count(*) FROM batch_jobs j WHERE remaining_prompts <> (
    SELECT count(*) FROM job_prompts p WHERE p.job_id = j.id AND p.status IN ('running', 'pending'))
"""
CONNECTIONS = """
SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in transaction%')
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Books:
    """How many prompts have more than one result; prompts and jobs that have not ended; jobs whose count of
    what is left is wrong; connections, and those of them that sit in a transaction.
    """

    twice: int
    unfinished: int
    wrong: int
    connections: int
    in_transaction: int


async def open_ledger(url: str) -> None:
    """Begin anew: every result written from now on is noted."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TRIGGER)
    finally:
        await connection.close()


async def read_books(url: str) -> Books:
    connection = await asyncpg.connect(url)
    try:
        counts = [await connection.fetchval(sql) for sql in (WRITTEN_TWICE, RUNNING, WRONG_COUNTS)]
        return Books(*counts, *await connection.fetchrow(CONNECTIONS))
    finally:
        await connection.close()
