-- name: insert
INSERT INTO replan (id, plan, events, basis, tours, undone, told, created_at, job_id, job_attempt)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: get
SELECT id, plan, state, events, basis, tours, undone, told, created_at, decided_at
FROM replan WHERE id = %s

-- name: list
SELECT id, plan, state, events, basis, tours, undone, told, created_at, decided_at
FROM replan WHERE plan = %s ORDER BY created_at DESC, id DESC

-- name: of_job
SELECT id FROM replan WHERE job_id = %s ORDER BY created_at DESC LIMIT 1

-- name: hold
-- Two who decide wait for each other.
SELECT state FROM replan WHERE id = %s FOR UPDATE

-- name: decide
UPDATE replan SET state = %s, decided_at = %s WHERE id = %s

-- name: accepted_events
SELECT events FROM replan WHERE plan = %s AND state = 'accepted' ORDER BY decided_at, id

-- name: hold_tours
-- In one order, so that nobody waits for somebody who waits for him.
SELECT id, revision FROM tour WHERE plan = %s ORDER BY id FOR UPDATE

-- name: locked_stops
SELECT s.tour, s.number FROM stop s JOIN tour t ON t.id = s.tour WHERE t.plan = %s AND s.locked

-- name: set_locked
UPDATE stop SET locked = %(locked)s WHERE tour = %(tour)s AND number = %(number)s AND kind = 'visit'

-- name: hold_tour
SELECT id FROM tour WHERE id = %s FOR UPDATE

-- name: highest
SELECT id, highest FROM tour WHERE plan = %s

-- name: update_tour
UPDATE tour
SET ends_at = %(end)s, km = %(km)s, hours = %(hours)s, kg = %(kg)s, trips = %(trips)s,
    geometry = %(geometry)s, highest = greatest(highest, %(highest)s)
WHERE id = %(id)s

-- name: clear_stops
DELETE FROM stop WHERE tour = %s

-- name: now_served
DELETE FROM unserved WHERE plan = %s AND site = ANY (%s)

-- name: now_unserved
INSERT INTO unserved (plan, site, containers, reason, extra_eur) VALUES (%s, %s, %s, %s, NULL)
ON CONFLICT (plan, site) DO UPDATE SET reason = excluded.reason

-- name: insert_tour
INSERT INTO tour (id, plan, vehicle, revision, starts_at, ends_at, km, hours, kg, trips,
                  geometry, attribution, highest)
VALUES (%s, %s, %s, 0, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: insert_stop
INSERT INTO stop (tour, number, kind, place, name, lon, lat, arrival, departure, service_s,
                  containers, kg, litres, why, eur, locked, position)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: reports
-- What the trucks of a plan have said of their stops, around the tours' own day only.
SELECT e.tour, e.kind, e.stop, e.time
FROM event e
JOIN tour t ON t.id = e.tour
WHERE t.plan = %s AND NOT e.clock_suspect
  AND e.kind IN ('tour-start', 'stop-arrive', 'stop-done', 'stop-failed', 'break-start',
                 'break-end', 'tour-end')
  AND e.time BETWEEN t.starts_at - interval '12 hours' AND t.ends_at + interval '1 day'
ORDER BY e.time, e.seq
