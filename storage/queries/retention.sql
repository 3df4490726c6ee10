-- name: delete_old
DELETE FROM {table} WHERE {column} < %s

-- name: delete_old_news
DELETE FROM outbox WHERE kind = 'telemetry' AND at < %s

-- name: delete_finished_jobs
DELETE FROM procrastinate_jobs job
WHERE status NOT IN ('todo', 'doing')
  AND NOT EXISTS (SELECT FROM procrastinate_events event WHERE event.job_id = job.id AND at >= %s)

-- name: declarations
SELECT facts FROM region
