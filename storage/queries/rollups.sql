-- name: level
-- {bucket} and {span} differ between servers; everything else is the same on all.
SELECT container, {bucket} AS {start}, count(*) AS readings,
       min(fill) AS fill_min, avg(fill) AS fill_avg, max(fill) AS fill_max
FROM level
WHERE NOT clock_suspect {span}
GROUP BY 1, 2

-- name: position
-- First and last places by the least and greatest array: that needs no sorting.
SELECT vehicle, {bucket} AS {start}, count(*) AS fixes,
       (min(ARRAY[date_part('epoch', time), device_id, seq, lon, lat]))[4] AS first_lon,
       (min(ARRAY[date_part('epoch', time), device_id, seq, lon, lat]))[5] AS first_lat,
       (max(ARRAY[date_part('epoch', time), device_id, seq, lon, lat]))[4] AS last_lon,
       (max(ARRAY[date_part('epoch', time), device_id, seq, lon, lat]))[5] AS last_lat,
       avg(speed_mps) AS speed_avg_mps, max(speed_mps) AS speed_max_mps
FROM position
WHERE NOT clock_suspect {span}
GROUP BY 1, 2

-- name: date_bin
date_bin({step}, time, '2001-01-01 00:00Z')

-- name: time_bucket
time_bucket({step}, time)

-- name: within
AND time >= {since} AND time < {until}

-- name: exists
SELECT to_regclass(%s) IS NOT NULL

-- name: make_table
CREATE TABLE {table} AS {rows} WITH NO DATA;
ALTER TABLE {table} ADD PRIMARY KEY ({key}, {start})

-- name: refill
-- Deleted first: a reading that was corrected may leave nothing behind in its old place.
DELETE FROM {table} WHERE {start} >= {since} AND {start} < {until};
INSERT INTO {table} {rows}

-- name: delete_old
DELETE FROM {table} WHERE {start} < {before}

-- name: make_aggregate
CREATE MATERIALIZED VIEW IF NOT EXISTS {table} WITH (timescaledb.continuous) AS {rows} WITH NO DATA

-- name: refresh
-- By force: TimescaleDB 2.28 does not notice rows that come by COPY into a table with a trigger for
-- whole statements, as ours have.
CALL refresh_continuous_aggregate(%s, %s::timestamptz, %s::timestamptz, force => true)

-- name: count_old
SELECT count(*) FROM {table} WHERE {start} < {before}

-- name: drop_parts
SELECT drop_chunks(%s, older_than => %s::timestamptz)

-- name: refresh_dropped
-- The readings are gone, so nothing is computed, and what is left of the old rows goes.
CALL refresh_continuous_aggregate(%s, NULL, %s::timestamptz, force => true)

-- name: changed_days
SELECT DISTINCT date_bin('1 day', time, '2001-01-01 00:00Z')
FROM {series}
WHERE received_at >= %(came)s AND time >= %(since)s AND time < %(until)s AND NOT clock_suspect
ORDER BY 1

-- name: came_until
SELECT came_until FROM rolled_up WHERE series = %s

-- name: note
INSERT INTO rolled_up (series, came_until) VALUES (%s, %s)
ON CONFLICT (series) DO UPDATE SET came_until = excluded.came_until

-- name: see_again
UPDATE rolled_up SET came_until = least(came_until, %s) WHERE series = %s
