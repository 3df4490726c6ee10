-- name: fill_history
SELECT container, (extract(epoch FROM time) * 1000000)::bigint, fill
FROM level
WHERE time >= %s AND time < %s AND NOT clock_suspect
ORDER BY time, device_id, seq

-- name: liftings
SELECT container, (extract(epoch FROM time) * 1000000)::bigint, coalesce(kg, 'NaN')
FROM emptying
WHERE time >= %s AND time < %s
ORDER BY time, container

-- name: latest_levels
SELECT DISTINCT ON (container)
       time, device_id, seq, container, fill, distance_mm, temperature_c, battery_v,
       boot, received_at, clock_suspect
FROM last_level
ORDER BY container, time DESC, seq DESC

-- name: latest_positions
SELECT DISTINCT ON (vehicle)
       time, device_id, seq, vehicle, lon, lat, speed_mps, heading_deg, accuracy_m,
       boot, received_at, clock_suspect
FROM last_position
ORDER BY vehicle, time DESC, seq DESC

-- name: latest_events
SELECT DISTINCT ON (vehicle)
       time, device_id, seq, vehicle, kind, tour, stop, container, facility, kg, lon, lat,
       reason, boot, received_at, clock_suspect
FROM last_event
ORDER BY vehicle, time DESC, seq DESC

-- name: tour_events
SELECT time, device_id, seq, vehicle, kind, tour, stop, container, facility, kg, lon, lat,
       reason, boot, received_at, clock_suspect
FROM event
WHERE tour = %s
ORDER BY time, seq

-- name: device_states
SELECT d.name, d.kind, d.container, d.vehicle,
       greatest(l.time, p.time, e.time, s.time),
       s.online, coalesce(s.battery_v, l.battery_v), s.firmware
FROM device d
LEFT JOIN last_level l ON l.device_id = d.id
LEFT JOIN last_position p ON p.device_id = d.id
LEFT JOIN last_event e ON e.device_id = d.id
LEFT JOIN last_status s ON s.device_id = d.id
WHERE d.active
ORDER BY d.name

-- name: dead_letters
SELECT received_at, topic, payload, reason FROM dead_letter ORDER BY id DESC LIMIT %s

-- name: totals
SELECT (SELECT count(*) FROM level), (SELECT count(*) FROM position),
       (SELECT count(*) FROM event), (SELECT count(*) FROM status),
       (SELECT count(*) FROM dead_letter)

-- name: events_by_kind
SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind
