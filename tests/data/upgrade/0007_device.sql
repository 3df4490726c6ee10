INSERT INTO device (region, name, kind, declared, active, revoked_at) VALUES ('town', 'old-gateway', 'gateway', false, false, '2026-01-03Z');
