"""The queue's SQL, all of it.

Locks. Who may wait for a prompt's lock holds the lock of its job (SETTLE, and what follows LOCK_JOB); jobs
are locked in the order of their ids. Who holds no job's lock (CLAIM, EXTEND) skips what is locked and never
waits. So no two of them can wait for each other, whatever they have in common.
"""

WORK_CHANNEL = "prodigon_work"
CANCELLED_CHANNEL = "prodigon_cancelled"

ENQUEUE = """
WITH job AS (
    INSERT INTO batch_jobs (id, user_id, model, max_tokens, total_prompts, remaining_prompts,
                            idempotency_key, request_hash, request_id, traceparent)
    SELECT id, user_id, model, max_tokens, total, total, key, hash, request_id, traceparent
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[],
                $9::text[]) AS new (id, user_id, model, max_tokens, total, key, hash, request_id, traceparent)
    -- Two batches with the same keys take them in the same order, so neither waits for the other's second.
    ORDER BY user_id, key
    -- Waits for a concurrent insert of the same key to commit, then leaves that one's job as it is.
    ON CONFLICT (user_id, idempotency_key) DO NOTHING
    RETURNING id, created_at
),
prompt AS (
    INSERT INTO job_prompts (job_id, position, prompt)
    SELECT new.job_id, new.position, new.prompt
    FROM unnest($10::uuid[], $11::int[], $12::text[]) AS new (job_id, position, prompt)
    -- Nearly always all jobs are new, and nothing has to be looked up.
    WHERE (SELECT count(*) FROM job) = cardinality($1) OR new.job_id IN (SELECT id FROM job)
),
notice AS MATERIALIZED (
    -- Sent at commit, so that whoever wakes finds the rows.
    SELECT pg_notify('prodigon_work', '') WHERE EXISTS (SELECT FROM job)
)
SELECT job.id, job.created_at FROM job LEFT JOIN notice ON true
"""

FIND_BY_KEY = """
SELECT id, request_hash FROM batch_jobs WHERE user_id = $1 AND idempotency_key = $2
"""

CLAIM = """
WITH due AS MATERIALIZED (
    SELECT job_id, position
    FROM job_prompts
    -- Only what waits and is due: a retry's backoff moves available_at on.
    WHERE status = 'pending' AND available_at <= now()
    -- First come, first served; the order of the index, so nothing is sorted.
    ORDER BY available_at, job_id, position
    -- As many as the worker has room for.
    LIMIT $1
    -- FOR UPDATE: what we picked is ours until we commit.
    -- SKIP LOCKED: what another worker is picking is passed over, not waited for.
    FOR UPDATE SKIP LOCKED
),
claimed AS (
    UPDATE job_prompts p
    SET status = 'running',
        -- Counted now and not at the end: a worker that dies says nothing.
        attempts = p.attempts + 1,
        -- A new one for each claim; whoever holds it may write the result, nobody else.
        lease = $2,
        leased_by = $3,
        lease_until = now() + $4 * interval '1 second'
    FROM due
    WHERE p.job_id = due.job_id AND p.position = due.position
    RETURNING p.job_id, p.position, p.attempts, p.prompt
),
begun AS (
    UPDATE batch_jobs SET status = 'running'
    WHERE id IN (
        SELECT id FROM batch_jobs
        WHERE id IN (SELECT job_id FROM claimed) AND status = 'pending'
        -- Who has a job locked claims from it, ends a prompt of it or cancels it, and sets its status.
        FOR NO KEY UPDATE SKIP LOCKED
    )
)
SELECT c.job_id, c.position, c.attempts, c.prompt, j.model, j.max_tokens, j.request_id, j.traceparent
FROM claimed c JOIN batch_jobs j ON j.id = c.job_id
"""

CLAIMED_UNDER = """
SELECT job_id, position, lease, attempts FROM job_prompts
WHERE status = 'running' AND lease = ANY ($1::uuid[])
"""

NEXT_DUE = """
SELECT extract(epoch FROM min(available_at) - clock_timestamp())::float8
FROM job_prompts WHERE status = 'pending'
"""

EXTEND = """
WITH held AS (
    SELECT mine.*
    FROM unnest($1::uuid[], $2::int[], $3::uuid[]) WITH ORDINALITY AS mine (job_id, position, lease, number)
    JOIN job_prompts p USING (job_id, position)
    WHERE p.lease = mine.lease
),
free AS (
    SELECT p.job_id, p.position FROM job_prompts p JOIN held USING (job_id, position, lease)
    -- One that is locked is about to end, or to be cancelled; if not, the next heartbeat extends it.
    FOR UPDATE OF p SKIP LOCKED
),
extended AS (
    UPDATE job_prompts p SET lease_until = now() + $4 * interval '1 second'
    FROM free WHERE p.job_id = free.job_id AND p.position = free.position
)
SELECT number - 1 FROM held
"""

SETTLE = """
WITH outcome AS (
    -- $4 to $7 hold one entry a prompt, or are null where the verb needs none.
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::float8[])
        WITH ORDINALITY AS o (job_id, position, lease, result, error_code, error_message, delay, number)
),
owner AS MATERIALIZED (
    -- In the order of ids: two batches that share two jobs can't lock one each and wait for the other.
    SELECT id FROM batch_jobs WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
),
settled AS (
    UPDATE job_prompts p
    SET status = $8::text,
        result = o.result,
        error_code = o.error_code,
        error_message = o.error_message,
        -- A released prompt keeps its place, the front.
        available_at = coalesce(clock_timestamp() + o.delay * interval '1 second', p.available_at),
        attempts = p.attempts - $9,
        lease = NULL,
        leased_by = CASE WHEN $8::text <> 'pending' THEN p.leased_by END,
        lease_until = NULL,
        finished_at = CASE WHEN $8::text <> 'pending' THEN clock_timestamp() END
    FROM outcome o
    -- The jobs' locks first.
    WHERE (SELECT count(*) FROM owner) > 0
      AND p.job_id = o.job_id AND p.position = o.position
      -- Once, and only under the lease that computed it: it is there while the prompt runs, and no longer.
      -- Checked again, on the newest version of the row, when another transaction had it.
      AND p.lease = o.lease
      -- The reaper's: not when a heartbeat came in between.
      AND (NOT $10 OR p.lease_until < now())
    RETURNING p.job_id, o.number
),
change AS (
    SELECT job_id, array_agg(number - 1) AS numbers,
           CASE WHEN $8::text <> 'pending' THEN count(*) ELSE 0 END AS ended,
           CASE WHEN $8::text = 'failed' THEN count(*) ELSE 0 END AS failed
    FROM settled GROUP BY job_id
),
job AS (
    UPDATE batch_jobs j
    -- Counted down under the job's lock, from its newest version: of two workers that end a job's last two
    -- prompts at once, the second finds 1 left, and ends the job.
    SET remaining_prompts = j.remaining_prompts - c.ended,
        failed_prompts = j.failed_prompts + c.failed,
        status = CASE
            WHEN j.remaining_prompts > c.ended THEN 'running'
            WHEN j.failed_prompts + c.failed > 0 THEN 'failed'
            ELSE 'completed'
        END,
        completed_at = CASE WHEN j.remaining_prompts = c.ended THEN clock_timestamp() END
    FROM change c WHERE j.id = c.job_id
    RETURNING j.id, j.status, c.numbers
),
notice AS MATERIALIZED (
    SELECT pg_notify('prodigon_work', '') WHERE $8::text = 'pending' AND EXISTS (SELECT FROM settled)
)
SELECT job.id, job.status, job.numbers FROM job LEFT JOIN notice ON true
"""

EXPIRED = """
SELECT job_id, position, lease, attempts FROM job_prompts
WHERE status = 'running' AND lease_until < now()
ORDER BY lease_until LIMIT $1
"""

# Followed, in the same transaction, by a statement that changes prompts: as a statement of its own it has the
# newest rows, also those that changed while this one waited.
LOCK_JOB = """
SELECT status, failed_prompts FROM batch_jobs WHERE id = $1 AND user_id = $2 FOR NO KEY UPDATE
"""

CANCEL = """
WITH stopped AS (
    UPDATE job_prompts
    -- Without its lease, a result that still comes is refused.
    SET status = 'cancelled', lease = NULL, lease_until = NULL, finished_at = clock_timestamp()
    WHERE job_id = $1 AND status IN ('pending', 'running')
),
job AS (
    UPDATE batch_jobs SET status = 'cancelled', remaining_prompts = 0, completed_at = clock_timestamp()
    WHERE id = $1
)
SELECT pg_notify('prodigon_cancelled', $1::text)
"""

RETRY_FAILED = """
WITH again AS (
    UPDATE job_prompts
    SET status = 'pending', attempts = 0, available_at = clock_timestamp(), leased_by = NULL,
        error_code = NULL, error_message = NULL, finished_at = NULL
    WHERE job_id = $1 AND status = 'failed'
),
job AS (
    UPDATE batch_jobs
    SET status = CASE WHEN remaining_prompts > 0 THEN status ELSE 'pending' END,
        remaining_prompts = remaining_prompts + failed_prompts, failed_prompts = 0, completed_at = NULL
    WHERE id = $1
)
SELECT pg_notify('prodigon_work', '')
"""

GET = """
SELECT j.id, j.status, j.created_at, j.completed_at, j.total_prompts, p.results, p.failed, p.codes, p.messages
FROM batch_jobs j
CROSS JOIN LATERAL (
    SELECT array_agg(result ORDER BY position) AS results,
           array_agg(position ORDER BY position) FILTER (WHERE status = 'failed') AS failed,
           array_agg(error_code ORDER BY position) FILTER (WHERE status = 'failed') AS codes,
           array_agg(error_message ORDER BY position) FILTER (WHERE status = 'failed') AS messages
    FROM job_prompts WHERE job_id = j.id
) p
WHERE j.id = $1 AND j.user_id = $2
"""

PAGE = """
WITH newest AS MATERIALIZED (
    SELECT id, status, created_at, completed_at, total_prompts FROM batch_jobs
    WHERE user_id = $1 AND (created_at, id) < ($2, $3) AND ($4::text IS NULL OR status = $4)
    ORDER BY created_at DESC, id DESC
    LIMIT $5
)
SELECT j.id, j.status, j.created_at, j.completed_at, j.total_prompts, p.results, p.failed, p.codes, p.messages
FROM newest j
CROSS JOIN LATERAL (
    SELECT array_agg(result ORDER BY position) AS results,
           array_agg(position ORDER BY position) FILTER (WHERE status = 'failed') AS failed,
           array_agg(error_code ORDER BY position) FILTER (WHERE status = 'failed') AS codes,
           array_agg(error_message ORDER BY position) FILTER (WHERE status = 'failed') AS messages
    FROM job_prompts WHERE job_id = j.id
) p
ORDER BY j.created_at DESC, j.id DESC
"""

PRUNE = """
WITH old AS MATERIALIZED (
    SELECT id FROM batch_jobs
    -- Only what has finished has a time of its end; a retry that commits meanwhile takes it away, and the row
    -- is looked at again once it is locked.
    WHERE completed_at < now() - $1 * interval '1 second'
    ORDER BY completed_at LIMIT $2
    FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM batch_jobs j USING old WHERE j.id = old.id RETURNING j.id
)
SELECT count(*) FROM gone
"""

PROGRESS = """
SELECT id, status, remaining_prompts, failed_prompts FROM batch_jobs WHERE id = ANY ($1)
"""

DEPTH = """
SELECT (SELECT count(*) FROM job_prompts WHERE status = 'pending' AND available_at <= now()) AS ready,
       (SELECT count(*) FROM job_prompts WHERE status = 'pending' AND available_at > now()) AS delayed,
       (SELECT count(*) FROM job_prompts WHERE status = 'running') AS running,
       (SELECT extract(epoch FROM now() - min(available_at))::float8 FROM job_prompts
        WHERE status = 'pending' AND available_at <= now()) AS oldest
"""
