INSERT INTO source_mark (source, until) VALUES ('ttn', '2026-01-03Z');
