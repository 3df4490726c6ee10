-- name: hold_still
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: snapshot
SELECT pg_export_snapshot()

-- name: tables
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace
  AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname

-- name: checksum
-- The sum does not depend on the order of rows; md5 is the same on every version and machine.
SELECT count(*),
       coalesce(sum(('x' || substr(md5(row::text), 1, 16))::bit(64)::bigint::numeric), 0)::text
FROM {table} AS row

-- name: timescale_before
SELECT timescaledb_pre_restore()

-- name: timescale_after
SELECT timescaledb_post_restore()
