-- name: mark
SELECT until FROM source_mark WHERE source = %s

-- name: move_mark
INSERT INTO source_mark (source, until) VALUES (%s, %s)
ON CONFLICT (source) DO UPDATE SET until = excluded.until
