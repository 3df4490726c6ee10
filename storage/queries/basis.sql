-- name: keep
INSERT INTO basis (plan, problem, solution) VALUES (%s, %s, %s)

-- name: load
SELECT problem, solution FROM basis WHERE plan = %s
