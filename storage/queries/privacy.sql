-- name: kept
SELECT count(*), min({column}::timestamptz) FROM {table}

-- name: kept_series
-- A row with an impossible clock is judged by when it came, as retention does.
SELECT count(*), min(CASE WHEN clock_suspect THEN received_at ELSE time END) FROM {table}

-- name: looks
SELECT who, action, count(*), max(at)
FROM audit
WHERE action LIKE 'look-%%'
GROUP BY who, action
ORDER BY max(at) DESC

-- name: positions
SELECT time, device_id, seq, vehicle, lon, lat, speed_mps, heading_deg, accuracy_m,
       boot, received_at, clock_suspect
FROM position
WHERE device_id IN (SELECT device_id FROM device_assignment WHERE vehicle = %(vehicle)s)
  AND vehicle = %(vehicle)s AND NOT clock_suspect
  AND time >= %(since)s AND time < %(until)s
  AND (time, seq) > (%(after_time)s, %(after_seq)s)
ORDER BY time, seq
LIMIT %(limit)s

-- name: track
-- The columns as storage.columns reads them.
SELECT array_send(array_agg(date_part('epoch', time))), array_send(array_agg(lon)),
       array_send(array_agg(lat)), array_send(array_agg(speed_mps))
FROM (
    SELECT time, lon, lat, coalesce(speed_mps::float8, 'NaN') AS speed_mps
    FROM position
    WHERE device_id IN (SELECT device_id FROM device_assignment WHERE vehicle = %(vehicle)s)
      AND vehicle = %(vehicle)s AND NOT clock_suspect
      AND time >= %(since)s AND time < %(until)s
    ORDER BY time, seq
) way

-- name: fleet_at
SELECT DISTINCT ON (p.vehicle)
       p.time, p.device_id, p.seq, p.vehicle, p.lon, p.lat, p.speed_mps, p.heading_deg, p.accuracy_m,
       p.boot, p.received_at, p.clock_suspect
FROM (SELECT DISTINCT device_id FROM device_assignment WHERE vehicle IS NOT NULL) unit
CROSS JOIN LATERAL (
    SELECT * FROM position
    WHERE device_id = unit.device_id AND NOT clock_suspect
      AND time > %(oldest)s AND time <= %(instant)s
    ORDER BY time DESC, seq DESC
    LIMIT 1
) p
ORDER BY p.vehicle, p.time DESC, p.seq DESC

-- name: kilometres
SELECT vehicle, day, km, fixes, jumps, gaps
FROM km_day
WHERE vehicle = %s AND day >= %s AND day <= %s
ORDER BY day
