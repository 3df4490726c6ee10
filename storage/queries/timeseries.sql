-- name: offers_timescale
SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL

-- name: load_timescale
CREATE EXTENSION IF NOT EXISTS timescaledb

-- name: edition
-- Tables in native partitions stay so, even where TimescaleDB came later.
SELECT extversion, current_setting('timescaledb.license', true)
FROM pg_extension
WHERE extname = 'timescaledb'
  AND NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass('level'))

-- name: hypertable_sizes
SELECT hypertable_name::text,
       hypertable_size(format('%I.%I', hypertable_schema, hypertable_name)::regclass)
FROM timescaledb_information.hypertables
WHERE hypertable_schema = current_schema()

-- name: compression
SELECT hypertable_name::text, bytes_before::float8 / bytes_after::float8
FROM timescaledb_information.hypertables h
CROSS JOIN LATERAL (
    SELECT sum(before_compression_total_bytes) AS bytes_before,
           sum(after_compression_total_bytes) AS bytes_after
    FROM chunk_compression_stats(format('%I.%I', hypertable_schema, hypertable_name)::regclass)
) stats
WHERE hypertable_schema = current_schema() AND bytes_after > 0

-- name: exists
SELECT to_regclass(%s) IS NOT NULL

-- name: make_partitioned
-- A migration made an ordinary table; it becomes partitioned before its first row.
ALTER TABLE {table} RENAME TO {shape};
CREATE TABLE {table} (LIKE {shape} INCLUDING ALL) PARTITION BY RANGE (time);
DROP TABLE {shape};
CREATE TABLE {default} PARTITION OF {table} DEFAULT

-- name: strays
SELECT DISTINCT date_bin(%(step)s, time, '2001-01-01 00:00Z')
FROM {default}
WHERE NOT clock_suspect AND time < %(until)s

-- name: add_partition
LOCK TABLE {default};
-- Rows only come in. A query that an index could answer alone reads the table, too, for rows that
-- no VACUUM has seen, so it comes after each twentieth instead of each fifth.
CREATE TABLE {part} (LIKE {table} INCLUDING ALL)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
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
DELETE FROM {table} WHERE time < %s AND NOT clock_suspect

-- name: delete_suspect
-- An impossible clock says nothing of a row's age.
DELETE FROM {table} WHERE received_at < %s AND clock_suspect

-- name: allow_decompression
-- In chunks that are compressed, TimescaleDB else refuses to delete what takes many rows apart.
SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0

-- name: make_hypertable
SELECT create_hypertable(%s, 'time', chunk_time_interval => %s::interval,
                         create_default_indexes => false, if_not_exists => true)

-- name: allow_compression
ALTER TABLE {table} SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'device_id, clock_suspect',
    timescaledb.compress_orderby = 'time DESC, seq DESC'
)

-- name: compress_chunks
SELECT count(compress_chunk(chunk, if_not_compressed => true))
FROM show_chunks(%s, older_than => %s::timestamptz) AS chunk

-- name: drop_chunks
-- Older chunks hold impossible clocks, and those rows are judged by when they came; the chunk of
-- New Year 2020 may hold some, too.
SELECT count(*)
FROM drop_chunks(%s, older_than => %s::timestamptz, newer_than => '2020-01-08Z'::timestamptz)
