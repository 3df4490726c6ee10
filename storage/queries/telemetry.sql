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

-- name: dead_letters
SELECT received_at, topic, payload, reason, source, family FROM dead_letter ORDER BY id DESC LIMIT %s

-- name: totals
SELECT (SELECT count(*) FROM level), (SELECT count(*) FROM position),
       (SELECT count(*) FROM event), (SELECT count(*) FROM status),
       (SELECT count(*) FROM dead_letter)

-- name: events_by_kind
SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind

-- name: last_heard
SELECT 'level', max(received_at) FROM last_level
UNION ALL SELECT 'position', max(received_at) FROM last_position
UNION ALL SELECT 'event', max(received_at) FROM last_event
UNION ALL SELECT 'status', max(received_at) FROM last_status
