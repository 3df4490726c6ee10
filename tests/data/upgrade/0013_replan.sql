INSERT INTO replan (id, plan, events, basis, tours, undone, told, created_at)
VALUES ('p1-r-1', 'p1', '[{"type": "breakdown", "vehicle": "truck-1"}]', '[]', '[]', '[]', '{}', '2026-01-02Z');
