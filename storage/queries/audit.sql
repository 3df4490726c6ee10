-- name: record
INSERT INTO audit (at, who, action, object, detail) VALUES (%s, %s, %s, %s, %s)

-- name: entries
SELECT at, who, action, object, detail FROM audit ORDER BY id DESC LIMIT %s

-- name: is_kept
SELECT to_regclass('audit') IS NOT NULL
