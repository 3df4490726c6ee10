-- name: sensor
SELECT id FROM device WHERE name = %s AND region = %s AND kind = 'sensor' AND active

-- name: forget_learned
DELETE FROM calibration WHERE device_id = %s AND since >= %s AND learned

-- name: write
INSERT INTO calibration (device_id, since, empty_mm, full_mm, shape, learned)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (device_id, since) DO UPDATE
SET empty_mm = excluded.empty_mm, full_mm = excluded.full_mm, shape = excluded.shape,
    learned = excluded.learned

-- name: all
SELECT device_id, since, empty_mm, full_mm, shape FROM calibration ORDER BY device_id, since

-- name: of_device
SELECT d.name, c.since, c.learned, c.empty_mm, c.full_mm, c.shape
FROM calibration c JOIN device d ON d.id = c.device_id
WHERE d.name = %s
ORDER BY c.since DESC

-- name: in_force
-- The newest that has begun; where none has, the first.
SELECT DISTINCT ON (d.name) d.name, c.since, c.learned, c.empty_mm, c.full_mm, c.shape
FROM calibration c
JOIN device d ON d.id = c.device_id
CROSS JOIN LATERAL (SELECT c.since <= %s AS begun) it
ORDER BY d.name, it.begun DESC,
         CASE WHEN it.begun THEN c.since END DESC, c.since

-- name: lessons
-- The first distance within a day after each emptying that is newer than what a hand gave.
SELECT c.device_id, array_agg(seen.distance_mm ORDER BY lift.time), c.empty_mm, c.full_mm, c.shape
FROM (
    SELECT DISTINCT ON (device_id) device_id, empty_mm, full_mm, shape
    FROM calibration WHERE since <= %(at)s
    ORDER BY device_id, since DESC
) c
JOIN device d ON d.id = c.device_id AND d.active AND d.container IS NOT NULL
CROSS JOIN LATERAL (
    SELECT time, lead(time, 1, 'infinity') OVER (ORDER BY time) AS next
    FROM emptying
    WHERE container = d.container AND time <= %(at)s
      AND time > (SELECT coalesce(max(since), '-infinity') FROM calibration given
                  WHERE given.device_id = c.device_id AND NOT given.learned
                    AND given.since <= %(at)s)
    ORDER BY time DESC LIMIT %(most)s
) lift
CROSS JOIN LATERAL (
    SELECT distance_mm
    FROM level
    WHERE device_id = c.device_id AND distance_mm IS NOT NULL AND NOT clock_suspect
      AND time > lift.time AND time < least(lift.next, lift.time + interval '1 day')
      AND time <= %(at)s
    ORDER BY time LIMIT 1
) seen
GROUP BY c.device_id, c.empty_mm, c.full_mm, c.shape
ORDER BY c.device_id
