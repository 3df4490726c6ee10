-- name: append
-- The lock comes before the id, and both last until the commit.
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(%(lock)s)
), added AS (
    INSERT INTO outbox (at, kind, key, payload)
    SELECT %(at)s, %(kind)s, %(key)s, %(payload)s FROM turn
    RETURNING id
)
SELECT id, pg_notify(%(channel)s, id::text) FROM added

-- name: after
SELECT id, at, kind, key, payload
FROM outbox
WHERE id > %(last)s AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY id
LIMIT %(limit)s

-- name: newest
SELECT coalesce(max(id), 0) FROM outbox

-- name: newest_tours
SELECT DISTINCT ON (key) id, at, kind, key, payload
FROM outbox
WHERE kind = 'tour'
ORDER BY key, id DESC

-- name: listen
LISTEN binround_outbox
