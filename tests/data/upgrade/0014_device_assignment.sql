INSERT INTO device_assignment (device_id, since, container) VALUES (3, '2026-01-01Z', 'bin-1');
