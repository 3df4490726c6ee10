-- name: lock
SELECT pg_advisory_xact_lock(%s)

-- name: append
INSERT INTO outbox (at, kind, key, payload) VALUES (%s, %s, %s, %s) RETURNING id

-- name: notify
SELECT pg_notify(%s, %s)

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
