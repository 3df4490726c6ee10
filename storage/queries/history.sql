-- name: levels
-- What the roll-up has, and behind it the readings themselves; as storage.columns reads them.
SELECT array_send(array_agg(date_part('epoch', at))), array_send(array_agg(readings::float8)),
       array_send(array_agg(fill_min::float8)), array_send(array_agg(fill_avg::float8)),
       array_send(array_agg(fill_max::float8))
FROM (
    SELECT {start} AS at, readings, fill_min, fill_avg, fill_max
    FROM {table}
    WHERE container = %(container)s AND {start} >= %(since)s AND {start} < %(rolled_until)s
    UNION ALL
    SELECT date_bin({step}, time, '2001-01-01 00:00Z'), count(*), min(fill), avg(fill), max(fill)
    FROM level
    WHERE device_id IN (SELECT device_id FROM device_assignment WHERE container = %(container)s)
      AND container = %(container)s AND NOT clock_suspect
      AND time >= %(rolled_until)s AND time < %(until)s
    GROUP BY 1
    ORDER BY 1
) span

-- name: device_states
SELECT d.name, d.kind, d.container, d.vehicle,
       greatest(l.received_at, p.received_at, e.received_at, s.received_at) AS heard_at,
       greatest(l.time, p.time, e.time, s.time) AS time,
       coalesce(s.battery_v, l.battery_v) AS battery_v, s.online, s.firmware
FROM device d
LEFT JOIN last_level l ON l.device_id = d.id
LEFT JOIN last_position p ON p.device_id = d.id
LEFT JOIN last_event e ON e.device_id = d.id
LEFT JOIN last_status s ON s.device_id = d.id
WHERE d.region = %s AND d.active
ORDER BY d.name
