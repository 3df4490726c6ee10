INSERT INTO device (region, name, kind, container, declared, source, alias, model) VALUES ('town', 's-lora', 'sensor', 'bin-1', false, 'lora', 'eui-1', 'milesight-em400-mud');
INSERT INTO calibration SELECT id, '2026-01-03Z', 1800, 300, '[[0, 0], [1, 1]]', false FROM device WHERE name = 's-lora';
INSERT INTO frame SELECT '2026-01-04Z', id, 7, 'bin-1', model, 85, '\x01755c', '2026-01-04Z', false FROM device WHERE name = 's-lora';
INSERT INTO tracker_frame SELECT '2026-01-04Z', id, 0, 'truck-1', 'traccar', NULL, '{}', '2026-01-04Z', false FROM device WHERE name = 'truck-1';
INSERT INTO status SELECT '2026-01-04Z', id, 7, true, NULL, NULL, 0, '2026-01-04Z', false, 92, true FROM device WHERE name = 's-lora';
INSERT INTO last_status SELECT * FROM status WHERE tilt ON CONFLICT DO NOTHING;
INSERT INTO dead_letter (received_at, topic, payload, reason, source, family) VALUES ('2026-01-04Z', 'a/b', '\x02', 'model: unknown', 'lora', 'things-stack-v3');
