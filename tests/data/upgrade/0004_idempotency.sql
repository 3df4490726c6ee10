INSERT INTO idempotency VALUES ('k', 'b', 7, '2026-01-02Z');
