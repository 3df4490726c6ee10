INSERT INTO region VALUES ('town', 'Town', 'Europe/Berlin', '© somebody', '{"retention": {"purpose": "dispatch"}}', '2026-01-01Z');
INSERT INTO fraction VALUES ('town', 'glass', 'Glas', 'glass', true);
INSERT INTO depot VALUES ('yard', 'town', 'Yard', 8.5, 52.0, true);
INSERT INTO facility VALUES ('plant', 'town', 'Plant', 8.6, 52.1, '{glass}', true);
INSERT INTO vehicle VALUES ('truck-1', 'town', 'yard', 'Truck 1', '{glass}', true);
INSERT INTO site VALUES ('site-1', 'town', 'Market Square', 8.51, 52.01, true, false, true);
INSERT INTO container VALUES ('bin-1', 'town', 'site-1', 'glass', 3000, false, true);
INSERT INTO device (region, name, kind) VALUES ('town', 'town-gateway', 'gateway');
INSERT INTO device (region, name, kind, vehicle, client_id, secret_hash, provisioned_at)
VALUES ('town', 'truck-1', 'unit', 'truck-1', 'c1', '$2a$04$x', '2026-01-01Z');
INSERT INTO device (region, name, kind, container, gateway) VALUES ('town', 's-1', 'sensor', 'bin-1', 1);
