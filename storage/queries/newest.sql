-- name: columns
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum

-- name: keep
-- The greatest (time, seq) wins, whatever the order of arrival; in the order of devices, so that
-- two writers do not wait for each other's rows.
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {last} AS known ({columns})
    SELECT DISTINCT ON (device_id) {columns}
    FROM fresh
    WHERE NOT clock_suspect
    ORDER BY device_id, time DESC, seq DESC
    ON CONFLICT (device_id) DO UPDATE SET {changes}
    WHERE (excluded.time, excluded.seq) > (known.time, known.seq);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER keep_newest AFTER INSERT ON {table}
REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION {function}()
