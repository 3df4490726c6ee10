-- name: copy
COPY {table} ({columns}) FROM STDIN (FORMAT binary)

-- name: insert
INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays})
ON CONFLICT DO NOTHING

-- name: insert_emptyings
INSERT INTO emptying AS known (container, time, kg)
SELECT * FROM unnest(%b::text[], %b::timestamptz[], %b::float8[])
ON CONFLICT (container, time) DO UPDATE SET kg = excluded.kg
WHERE excluded.kg > coalesce(known.kg, -1)
