INSERT INTO plan (id, region, service, depot, day, state, cost, provider, created_at, published_at, engine, seed, estimate)
VALUES ('p1', 'town', 'glass', 'yard', '2026-01-02', 'published', '{"km": 1.5}', '{"name": "osrm"}', '2026-01-01Z', '2026-01-01Z', 'sisr', 1, false);
INSERT INTO tour (id, plan, vehicle, revision, starts_at, ends_at, km, hours, kg, trips, geometry, attribution)
VALUES ('p1-truck-1', 'p1', 'truck-1', 1, '2026-01-02 06:00Z', '2026-01-02 12:00Z', 20, 6, 800, 1, '', '');
INSERT INTO stop VALUES ('p1-truck-1', 1, 'visit', 'site-1', 'Market Square', 8.51, 52.01, '2026-01-02 07:00Z', '2026-01-02 07:05Z', 300, '{bin-1}', 80, 2000, 'full', 12.5);
INSERT INTO unserved VALUES ('p1', 'site-1', '{bin-1}', 'not-worth-it', 3.5);
INSERT INTO dispatch VALUES ('truck-1', '2026-01-02', 'glass', 1, 'p1-truck-1');
INSERT INTO belief VALUES ('bin-1', 0.5, 0.1, 0.05, 0.2, 12, '2026-01-02Z');
INSERT INTO study VALUES ('st-1', 'town', 'less', '{}', 'done', '{"eur": 1}', '', '2026-01-01Z', '2026-01-01Z');
INSERT INTO audit (at, who, action, object, detail) VALUES ('2026-01-01Z', 'somebody', 'publish-plan', 'plan/p1', '{}');
