-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))

-- name: forget
DELETE FROM idempotency WHERE at < %s

-- name: find
SELECT body, job_id FROM idempotency WHERE key = %s

-- name: remember
INSERT INTO idempotency (key, body, job_id, at) VALUES (%s, %s, %s, %s)
