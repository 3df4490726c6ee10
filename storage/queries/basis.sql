-- name: keep
INSERT INTO basis (plan, problem, solution, explanation) VALUES (%s, %s, %s, %s)

-- name: load
SELECT problem, solution FROM basis WHERE plan = %s

-- name: explanation
SELECT explanation FROM basis WHERE plan = %s AND explanation IS NOT NULL
