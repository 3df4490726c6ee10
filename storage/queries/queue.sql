-- name: waiting
SELECT id FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'

-- name: job
SELECT id, task_name, status::text, attempts, args FROM procrastinate_jobs WHERE id = %s

-- name: depth
SELECT status::text, count(*) FROM procrastinate_jobs
WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1

-- name: held
SELECT 1 FROM procrastinate_jobs WHERE id = %s AND attempts = %s AND status = 'doing' FOR UPDATE

-- name: holds
SELECT 1 FROM procrastinate_jobs
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'

-- name: alive
INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE
VALUES (%(worker_id)s, now())
ON CONFLICT (id) DO UPDATE SET last_heartbeat = excluded.last_heartbeat

-- name: reap
-- Jobs of workers that were silent for too long. The lock keeps two reapers off the same job.
WITH stalled AS MATERIALIZED (
    SELECT job.id, job.attempts
    FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
      AND (worker.id IS NULL
           OR worker.last_heartbeat < now() - make_interval(secs => %(stalled_s)s))
    FOR UPDATE OF job SKIP LOCKED
)
SELECT id, CASE
    WHEN attempts + 1 < %(max_attempts)s
        THEN procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL)::text
    ELSE procrastinate_finish_job_v1(id, 'failed', false)::text
END
FROM stalled
