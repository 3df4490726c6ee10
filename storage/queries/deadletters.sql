-- name: bury
INSERT INTO dead_letter AS known (received_at, topic, payload, reason, source, family, repeats)
SELECT min(received_at), topic, payload, min(reason), source, min(family), count(*) - 1
FROM unnest(%b::timestamptz[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[])
    WITH ORDINALITY AS letter (received_at, topic, payload, reason, source, family, place)
GROUP BY source, topic, payload
ORDER BY min(place)
ON CONFLICT (source, md5(topic), sha256(payload)) DO UPDATE
SET repeats = known.repeats + excluded.repeats + 1, reason = excluded.reason,
    family = excluded.family
RETURNING repeats, xmax = 0

-- name: list
SELECT id, received_at, topic, payload, reason, repeats, source, family
FROM dead_letter
WHERE strpos(reason, %s) > 0
ORDER BY id DESC LIMIT %s

-- name: get
SELECT id, received_at, topic, payload, reason, repeats, source, family
FROM dead_letter WHERE id = %s

-- name: ids
SELECT id FROM dead_letter ORDER BY id

-- name: lock
SELECT id, received_at, topic, payload, reason, repeats, source, family
FROM dead_letter WHERE id = ANY (%s) ORDER BY id FOR UPDATE

-- name: remove
DELETE FROM dead_letter WHERE id = %s

-- name: explain
UPDATE dead_letter SET reason = %s WHERE id = %s

-- name: by_reason
SELECT split_part(reason, ':', 1), count(*) FROM dead_letter GROUP BY 1 ORDER BY 1
