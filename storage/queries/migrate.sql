-- name: lock
SELECT pg_advisory_lock(%s)

-- name: unlock
SELECT pg_advisory_unlock(%s)

-- name: make_ledger
CREATE TABLE IF NOT EXISTS migration (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: has_ledger
SELECT to_regclass('migration')

-- name: applied
SELECT name, checksum FROM migration

-- name: record
INSERT INTO migration (name, checksum) VALUES (%s, %s)

-- name: sizes
-- A time series counts with all its parts.
SELECT coalesce(root.relname, c.relname), sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid)
WHERE c.relkind = 'r'
GROUP BY 1
