-- name: offers_timescale
SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL

-- name: load_timescale
CREATE EXTENSION IF NOT EXISTS timescaledb

-- name: edition
SELECT extversion, current_setting('timescaledb.license', true)
FROM pg_extension WHERE extname = 'timescaledb'

-- name: hypertable_sizes
SELECT hypertable_name::text,
       hypertable_size(format('%I.%I', hypertable_schema, hypertable_name)::regclass)
FROM timescaledb_information.hypertables
WHERE hypertable_schema = current_schema()

-- name: exists
SELECT to_regclass(%s) IS NOT NULL

-- name: make_partitioned
-- A migration made an ordinary table; it becomes partitioned before its first row.
ALTER TABLE {table} RENAME TO {shape};
CREATE TABLE {table} (LIKE {shape} INCLUDING ALL) PARTITION BY RANGE (time);
DROP TABLE {shape};
CREATE TABLE {default} PARTITION OF {table} DEFAULT

-- name: add_partition
LOCK TABLE {default};
CREATE TABLE {part} (LIKE {table} INCLUDING ALL);
WITH moved AS (
    DELETE FROM {default} WHERE time >= {start} AND time < {end} RETURNING *
)
INSERT INTO {part} SELECT * FROM moved;
ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({start}) TO ({end})

-- name: partitions
SELECT c.relname
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass(%s)
  AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
ORDER BY 1

-- name: drop_partition
DROP TABLE IF EXISTS {part}

-- name: delete_old
-- What a wrong clock says is no age: such a row is as old as its arrival.
DELETE FROM {table}
WHERE (time < %(before)s AND NOT clock_suspect) OR (clock_suspect AND received_at < %(before)s)

-- name: make_level_day
CREATE TABLE IF NOT EXISTS level_day (
    container text NOT NULL,
    day       timestamptz NOT NULL,
    readings  bigint NOT NULL,
    fill_min  real NOT NULL,
    fill_avg  double precision NOT NULL,
    fill_max  real NOT NULL,
    PRIMARY KEY (container, day)
)

-- name: fill_level_day
WITH fresh AS MATERIALIZED (
    SELECT container, date_bin('1 day', time, '2001-01-01 00:00Z') AS day,
           count(*), min(fill), avg(fill), max(fill)
    FROM level
    WHERE time >= %(since)s AND time < %(until)s AND NOT clock_suspect
    GROUP BY 1, 2
), gone AS (
    DELETE FROM level_day day
    WHERE day.day >= %(since)s AND day.day < %(until)s
      AND (day.container, day.day) NOT IN (SELECT container, fresh.day FROM fresh)
)
INSERT INTO level_day SELECT * FROM fresh
ON CONFLICT (container, day) DO UPDATE
SET readings = excluded.readings, fill_min = excluded.fill_min,
    fill_avg = excluded.fill_avg, fill_max = excluded.fill_max

-- name: make_hypertable
SELECT create_hypertable(%s, 'time', chunk_time_interval => %s::interval,
                         create_default_indexes => false, if_not_exists => true)

-- name: allow_compression
ALTER TABLE {table} SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'device_id',
    timescaledb.compress_orderby = 'time DESC, seq DESC'
)

-- name: compress_chunks
SELECT count(compress_chunk(chunk, if_not_compressed => true))
FROM show_chunks(%s, older_than => %s::timestamptz) AS chunk

-- name: make_level_day_view
CREATE MATERIALIZED VIEW IF NOT EXISTS level_day
WITH (timescaledb.continuous) AS
SELECT container, time_bucket('1 day', time) AS day,
       count(*) AS readings, min(fill) AS fill_min, avg(fill) AS fill_avg, max(fill) AS fill_max
FROM level
WHERE NOT clock_suspect
GROUP BY 1, 2
WITH NO DATA

-- name: refresh_level_day
CALL refresh_continuous_aggregate('level_day', %s::timestamptz, %s::timestamptz)

-- name: drop_chunks
SELECT count(*) FROM drop_chunks(%s, older_than => %s::timestamptz)
