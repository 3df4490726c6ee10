INSERT INTO km_day VALUES ('truck-1', '2026-01-02', 61.5, 5760, 1, 2);
INSERT INTO rolled_up VALUES ('position', '2026-01-03Z');
