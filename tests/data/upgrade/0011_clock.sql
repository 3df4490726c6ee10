INSERT INTO device_clock VALUES (2, '2026-01-03', -0.4, -0.3);
