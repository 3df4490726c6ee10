-- What a device was on, and since when; the first counts from the beginning. A row of a series
-- says itself whose it is: here stands which devices to look for, and where a late row belongs.
CREATE TABLE device_assignment (
    device_id integer NOT NULL REFERENCES device,
    since     timestamptz NOT NULL,
    container text REFERENCES container,
    vehicle   text REFERENCES vehicle,
    PRIMARY KEY (device_id, since)
);
CREATE INDEX ON device_assignment (container) WHERE container IS NOT NULL;
CREATE INDEX ON device_assignment (vehicle) WHERE vehicle IS NOT NULL;

-- Up to here the series tell it.
CREATE TEMPORARY TABLE said ON COMMIT DROP AS
SELECT device_id, container, NULL AS vehicle, min(time) AS since, max(time) AS until
FROM level
WHERE NOT clock_suspect AND container IN (SELECT id FROM container)
GROUP BY device_id, container
UNION ALL
SELECT device_id, NULL, vehicle, min(time), max(time)
FROM (SELECT device_id, vehicle, time FROM position WHERE NOT clock_suspect
      UNION ALL SELECT device_id, vehicle, time FROM event WHERE NOT clock_suspect) AS trip
WHERE vehicle IN (SELECT id FROM vehicle)
GROUP BY device_id, vehicle;

INSERT INTO device_assignment (device_id, since, container, vehicle)
SELECT device_id, since, container, vehicle
FROM said
WHERE device_id IN (SELECT id FROM device)
ON CONFLICT DO NOTHING;

-- What it is on now began after the last that it said of anything else.
INSERT INTO device_assignment (device_id, since, container, vehicle)
SELECT d.id, coalesce(other.until + interval '1 microsecond', r.loaded_at), d.container, d.vehicle
FROM device d
JOIN region r ON r.id = d.region
LEFT JOIN LATERAL (
    SELECT container, vehicle FROM device_assignment
    WHERE device_id = d.id ORDER BY since DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT max(until) AS until FROM said
    WHERE device_id = d.id AND (container, vehicle) IS DISTINCT FROM (d.container, d.vehicle)
) other ON true
WHERE num_nonnulls(d.container, d.vehicle) > 0
  AND (newest.container, newest.vehicle) IS DISTINCT FROM (d.container, d.vehicle)
ON CONFLICT (device_id, since)
DO UPDATE SET container = excluded.container, vehicle = excluded.vehicle;
