-- name: keep
INSERT INTO device_clock AS known (device_id, day, ahead_s)
SELECT * FROM unnest(%b::int4[], %b::date[], %b::float8[])
ON CONFLICT (device_id) DO UPDATE
SET before_s = CASE WHEN excluded.day > known.day THEN known.ahead_s ELSE known.before_s END,
    ahead_s = CASE WHEN excluded.day > known.day THEN excluded.ahead_s
                   ELSE greatest(known.ahead_s, excluded.ahead_s) END,
    day = greatest(known.day, excluded.day)

-- name: ahead
SELECT d.name, greatest(c.ahead_s, c.before_s)
FROM device_clock c JOIN device d ON d.id = c.device_id
WHERE d.active

-- name: wrong
SELECT count(*)
FROM device_clock c JOIN device d ON d.id = c.device_id
WHERE d.active AND abs(greatest(c.ahead_s, c.before_s)) > %s
