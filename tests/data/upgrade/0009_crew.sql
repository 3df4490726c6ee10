INSERT INTO crew.assignment (vehicle, day, name) SELECT id, '2026-01-02', 'Kim Muster' FROM vehicle ORDER BY id LIMIT 1;
