-- name: add
INSERT INTO study (id, region, name, scenario, state, created_at)
VALUES (%s, %s, %s, %s, 'waiting', %s)

-- name: start
UPDATE study SET state = 'running' WHERE id = %s

-- name: finish
UPDATE study SET state = 'done', results = %s, message = '', ended_at = %s WHERE id = %s

-- name: fail
UPDATE study SET state = 'failed', message = %s, ended_at = %s WHERE id = %s

-- name: get
SELECT id, region, name, scenario, state, results, message, created_at, ended_at
FROM study WHERE id = %s

-- name: list
SELECT id, region, name, scenario, state, results, message, created_at, ended_at
FROM study ORDER BY created_at DESC, id LIMIT %s
