-- name: insert_plan
INSERT INTO plan (id, region, service, depot, day, cost, provider, created_at, engine, seed,
                  estimate, job_id, job_attempt)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: insert_tour
INSERT INTO tour (id, plan, vehicle, revision, starts_at, ends_at, km, hours, kg, trips,
                  geometry, attribution, highest)
VALUES (%s, %s, %s, 0, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: insert_stop
INSERT INTO stop (tour, number, kind, place, name, lon, lat, arrival, departure, service_s,
                  containers, kg, litres, why, eur, locked, position)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: insert_unserved
INSERT INTO unserved (plan, site, containers, reason, extra_eur) VALUES (%s, %s, %s, %s, %s)

-- name: lock_plan_day
-- Two who publish for the same day wait for each other.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('/', day, service, depot), 0))
FROM plan WHERE id = %s

-- name: supersede
UPDATE plan SET state = 'superseded'
WHERE day = %s AND service = %s AND depot = %s AND state = 'published' AND id <> %s

-- name: set_published
UPDATE plan SET state = 'published', published_at = %s WHERE id = %s

-- name: vehicles_of
SELECT id FROM vehicle
WHERE depot = %(depot)s AND %(service)s = ANY (services) AND active
UNION
SELECT vehicle FROM tour WHERE plan = %(plan)s
ORDER BY 1

-- name: next_revision
INSERT INTO dispatch AS known (vehicle, day, service, revision, tour) VALUES (%s, %s, %s, 1, %s)
ON CONFLICT (vehicle, day, service) DO UPDATE
SET revision = known.revision + 1, tour = excluded.tour
RETURNING revision

-- name: set_revision
UPDATE tour SET revision = %s WHERE id = %s

-- name: acknowledge
UPDATE tour
SET acknowledged_revision = %(revision)s, accepted = %(accepted)s, reason = %(reason)s,
    acknowledged_at = %(at)s
WHERE id = %(tour)s AND revision >= %(revision)s
  AND (%(vehicle)s::text IS NULL OR vehicle = %(vehicle)s)
  AND (acknowledged_revision IS NULL OR acknowledged_revision < %(revision)s)

-- name: plan
SELECT id, region, service, depot, day, state, cost, provider, created_at, published_at,
       engine, seed, estimate
FROM plan WHERE id = %s

-- name: tours_of_plan
SELECT id, plan, vehicle, revision, starts_at AS start, ends_at AS "end", km, hours, kg, trips,
       geometry, attribution, acknowledged_revision, accepted, reason, acknowledged_at
FROM tour WHERE plan = %s ORDER BY id

-- name: tour
SELECT id, plan, vehicle, revision, starts_at AS start, ends_at AS "end", km, hours, kg, trips,
       geometry, attribution, acknowledged_revision, accepted, reason, acknowledged_at
FROM tour WHERE id = %s

-- name: stops_of_plan
SELECT s.tour, number, kind, place, name, lon, lat, arrival, departure, service_s, containers,
       s.kg, litres, why, eur, locked
FROM stop s JOIN tour t ON t.id = s.tour
WHERE t.plan = %s ORDER BY s.tour, position, number

-- name: stops_of_tour
SELECT tour, number, kind, place, name, lon, lat, arrival, departure, service_s, containers,
       kg, litres, why, eur, locked
FROM stop WHERE tour = %s ORDER BY position, number

-- name: unserved
SELECT site, containers, reason, extra_eur FROM unserved WHERE plan = %s ORDER BY site

-- name: published
SELECT id FROM plan WHERE day = %s AND service = %s AND depot = %s AND state = 'published'

-- name: list_plans
SELECT p.id, p.region, p.service, p.depot, p.day, p.state, p.created_at, p.published_at,
       p.engine, p.estimate,
       count(t.id)::int AS tours,
       coalesce(sum((SELECT count(*) FROM stop s WHERE s.tour = t.id AND s.kind = 'visit')), 0)::int
           AS stops,
       coalesce(sum(t.km), 0) AS km,
       coalesce(sum(t.hours), 0) AS hours,
       coalesce(sum(t.kg), 0) AS kg,
       (SELECT count(*) FROM unserved u WHERE u.plan = p.id)::int AS unserved,
       (SELECT coalesce(sum(value::float8), 0) FROM jsonb_each_text(p.cost)) AS eur
FROM plan p
LEFT JOIN tour t ON t.plan = p.id
WHERE (%(day)s::date IS NULL OR p.day = %(day)s)
  AND (%(service)s::text IS NULL OR p.service = %(service)s)
  AND (%(state)s::text IS NULL OR p.state = %(state)s)
  AND (%(before_at)s::timestamptz IS NULL
       OR (p.created_at, p.id) < (%(before_at)s, %(before_id)s::text))
GROUP BY p.id
ORDER BY p.created_at DESC, p.id DESC
LIMIT %(limit)s
