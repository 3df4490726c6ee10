-- name: copy
COPY {table} ({columns}) FROM STDIN (FORMAT binary)

-- name: insert
INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays})
ON CONFLICT DO NOTHING

-- name: update_state
INSERT INTO {last} AS known ({columns}) SELECT * FROM unnest({arrays})
ON CONFLICT (device_id) DO UPDATE SET {changes}
WHERE (excluded.time, excluded.seq) > (known.time, known.seq)

-- name: insert_emptyings
INSERT INTO emptying AS known (container, time, kg)
SELECT * FROM unnest(%b::text[], %b::timestamptz[], %b::float8[])
ON CONFLICT (container, time) DO UPDATE SET kg = excluded.kg
WHERE excluded.kg > coalesce(known.kg, -1)
