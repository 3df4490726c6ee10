-- name: containers
SELECT c.id, c.site, s.name AS site_name, s.lon, s.lat, c.fraction, c.volume_l, c.synthetic,
       EXISTS (SELECT FROM device d WHERE d.container = c.id AND d.active) AS sensor,
       l.time AS read_at, l.fill AS read_fill, e.time AS emptied_at,
       b.fill, b.fill_sd, b.rate_per_day, b.overflow_risk, b.prize_eur, b.computed_at
FROM container c
JOIN site s ON s.id = c.site
LEFT JOIN (
    SELECT DISTINCT ON (container) container, time, fill, received_at
    FROM last_level
    ORDER BY container, time DESC, seq DESC
) l ON l.container = c.id
LEFT JOIN belief b ON b.container = c.id
LEFT JOIN LATERAL (
    SELECT time FROM emptying WHERE container = c.id ORDER BY time DESC LIMIT 1
) e ON true
WHERE c.region = %(region)s AND c.active
  AND (%(after)s::text IS NULL OR c.id > %(after)s)
  AND (%(since)s::timestamptz IS NULL OR l.received_at >= %(since)s
       OR b.computed_at >= %(since)s OR e.time >= %(since)s)
ORDER BY c.id
LIMIT %(limit)s

-- name: vehicles
SELECT v.id, v.name, v.depot, v.services,
       l.time, l.lon, l.lat, l.speed_mps, l.heading_deg,
       (SELECT t.id FROM tour t JOIN plan p ON p.id = t.plan
        WHERE t.vehicle = v.id AND p.day = %(day)s AND p.state = 'published'
        ORDER BY t.starts_at LIMIT 1) AS tour
FROM vehicle v
LEFT JOIN (
    SELECT DISTINCT ON (vehicle) vehicle, time, lon, lat, speed_mps, heading_deg
    FROM last_position
    ORDER BY vehicle, time DESC, seq DESC
) l ON l.vehicle = v.id
WHERE v.region = %(region)s AND v.active
  AND (%(after)s::text IS NULL OR v.id > %(after)s)
ORDER BY v.id
LIMIT %(limit)s

-- name: tours
-- Events are looked for around the tour's own day only, so that old partitions stay untouched.
SELECT t.id, t.plan, t.vehicle, t.revision, t.starts_at AS start, t.ends_at AS "end",
       t.km, t.hours, t.kg, t.trips, t.acknowledged_revision, t.accepted, v.visits,
       coalesce(r.stops_done, 0) AS stops_done, coalesce(r.stops_failed, 0) AS stops_failed,
       coalesce(r.lifts, 0) AS lifts, coalesce(r.kg_unloaded, 0) AS kg_unloaded,
       r.started_at, r.ended_at, d.stop AS last_stop, d.at AS last_at, d.departure AS last_planned
FROM tour t
JOIN plan p ON p.id = t.plan
CROSS JOIN LATERAL (
    SELECT count(*)::int AS visits FROM stop WHERE tour = t.id AND kind = 'visit'
) v
LEFT JOIN LATERAL (
    SELECT (count(DISTINCT e.stop) FILTER (WHERE e.kind = 'stop-done' AND s.kind = 'visit'))::int
               AS stops_done,
           (count(DISTINCT e.stop) FILTER (WHERE e.kind = 'stop-failed' AND s.kind = 'visit'))::int
               AS stops_failed,
           (count(DISTINCT e.container) FILTER (WHERE e.kind = 'lift'))::int AS lifts,
           sum(e.kg) FILTER (WHERE e.kind = 'unload') AS kg_unloaded,
           min(e.time) AS started_at,
           max(e.time) FILTER (WHERE e.kind = 'tour-end') AS ended_at
    FROM event e
    LEFT JOIN stop s ON s.tour = e.tour AND s.number = e.stop
    WHERE e.tour = t.id AND NOT e.clock_suspect
      AND e.time BETWEEN t.starts_at - interval '12 hours' AND t.ends_at + interval '1 day'
) r ON true
LEFT JOIN LATERAL (
    SELECT e.stop, e.time AS at, s.departure
    FROM event e
    JOIN stop s ON s.tour = e.tour AND s.number = e.stop
    WHERE e.tour = t.id AND e.kind IN ('stop-done', 'stop-failed') AND NOT e.clock_suspect
      AND e.time BETWEEN t.starts_at - interval '12 hours' AND t.ends_at + interval '1 day'
    ORDER BY e.time DESC, e.seq DESC
    LIMIT 1
) d ON true
WHERE (%(day)s::date IS NULL OR (p.day = %(day)s AND p.state <> 'superseded'))
  AND (%(plan)s::text IS NULL OR t.plan = %(plan)s)
  AND (%(tour)s::text IS NULL OR t.id = %(tour)s)
ORDER BY t.id

-- name: reported_stops
SELECT e.stop, bool_or(e.kind = 'stop-done')
FROM event e
JOIN tour t ON t.id = e.tour
WHERE e.tour = %s AND e.kind IN ('stop-done', 'stop-failed') AND NOT e.clock_suspect
  AND e.time BETWEEN t.starts_at - interval '12 hours' AND t.ends_at + interval '1 day'
GROUP BY e.stop

-- name: plan_of_job
SELECT id FROM plan WHERE job_id = %s ORDER BY created_at DESC LIMIT 1

-- name: limit_statements
SET statement_timeout = '5s'
