-- name: note
-- A clock that went back makes no assignment older than the one before it.
INSERT INTO device_assignment (device_id, since, container, vehicle)
SELECT d.id, greatest(%(at)s, newest.since), d.container, d.vehicle
FROM device d
LEFT JOIN LATERAL (
    SELECT since, container, vehicle FROM device_assignment
    WHERE device_id = d.id ORDER BY since DESC LIMIT 1
) newest ON true
WHERE d.region = %(region)s AND num_nonnulls(d.container, d.vehicle) > 0
  AND (newest.container, newest.vehicle) IS DISTINCT FROM (d.container, d.vehicle)
ON CONFLICT (device_id, since)
DO UPDATE SET container = excluded.container, vehicle = excluded.vehicle

-- name: earlier
-- Of a device that became another kind, what it was on as the other kind is left out.
SELECT device_id, place, until
FROM (
    SELECT a.device_id, coalesce(a.container, a.vehicle) AS place,
           lead(a.since) OVER (PARTITION BY a.device_id ORDER BY a.since) AS until,
           (a.container IS NULL) = (d.container IS NULL) AS same_kind
    FROM device_assignment a JOIN device d ON d.id = a.device_id
    WHERE d.active
) AS held
WHERE until IS NOT NULL AND same_kind
ORDER BY device_id, until
