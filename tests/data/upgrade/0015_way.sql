INSERT INTO position VALUES ('2026-01-05Z', 2, 5, 'truck-1', 8.5, 52, NULL, NULL, NULL, 0, '2026-01-05Z', false);
