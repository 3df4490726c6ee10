INSERT INTO dead_letter (received_at, topic, payload, reason, repeats) VALUES ('2026-01-03Z', 'a/b', '\x01', 'topic: unknown', 3);
