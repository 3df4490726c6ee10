-- name: upsert_region
INSERT INTO region (id, name, zone, attribution, facts, loaded_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, zone = excluded.zone, attribution = excluded.attribution,
    facts = excluded.facts, loaded_at = excluded.loaded_at

-- name: retire_fraction
UPDATE fraction SET active = false WHERE region = %s AND active

-- name: retire_depot
UPDATE depot SET active = false WHERE region = %s AND active

-- name: retire_facility
UPDATE facility SET active = false WHERE region = %s AND active

-- name: retire_vehicle
UPDATE vehicle SET active = false WHERE region = %s AND active

-- name: retire_site
UPDATE site SET active = false WHERE region = %s AND active

-- name: retire_container
UPDATE container SET active = false WHERE region = %s AND active

-- name: retire_device
UPDATE device SET active = false WHERE region = %s AND active AND declared

-- name: upsert_fraction
INSERT INTO fraction (region, id, name_de, name_en)
VALUES (%s, %s, %s, %s)
ON CONFLICT (region, id) DO UPDATE
SET name_de = excluded.name_de, name_en = excluded.name_en,
    active = true

-- name: upsert_depot
INSERT INTO depot (id, region, name, lon, lat)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, lon = excluded.lon, lat = excluded.lat,
    active = true
WHERE depot.region = excluded.region

-- name: upsert_facility
INSERT INTO facility (id, region, name, lon, lat, accepts)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, lon = excluded.lon, lat = excluded.lat, accepts = excluded.accepts,
    active = true
WHERE facility.region = excluded.region

-- name: upsert_vehicle
INSERT INTO vehicle (id, region, depot, name, services)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE
SET depot = excluded.depot, name = excluded.name, services = excluded.services,
    active = true
WHERE vehicle.region = excluded.region

-- name: upsert_site
INSERT INTO site (id, region, name, lon, lat, curb, synthetic)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, lon = excluded.lon, lat = excluded.lat, curb = excluded.curb, synthetic = excluded.synthetic,
    active = true
WHERE site.region = excluded.region

-- name: upsert_container
INSERT INTO container (id, region, site, fraction, volume_l, synthetic)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE
SET site = excluded.site, fraction = excluded.fraction, volume_l = excluded.volume_l, synthetic = excluded.synthetic,
    active = true
WHERE container.region = excluded.region

-- name: upsert_gateway
INSERT INTO device (region, name, kind) VALUES (%s, %s, 'gateway')
ON CONFLICT (name) DO UPDATE SET declared = true, active = device.revoked_at IS NULL
WHERE device.region = excluded.region

-- name: upsert_unit
INSERT INTO device (region, name, kind, vehicle) VALUES (%s, %s, 'unit', %s)
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, vehicle = excluded.vehicle, container = NULL, declared = true,
    active = device.revoked_at IS NULL
WHERE device.region = excluded.region

-- name: upsert_sensor
INSERT INTO device (region, name, kind, container, gateway)
VALUES (%s, %s, 'sensor', %s, (SELECT id FROM device WHERE name = %s))
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, container = excluded.container,
    gateway = CASE WHEN device.source = '' THEN excluded.gateway END,
    vehicle = NULL, declared = true, active = device.revoked_at IS NULL
WHERE device.region = excluded.region

-- name: retire_replaced
-- A sensor that was added by hand makes room for the one that the region names now.
UPDATE device spare SET active = false
FROM device named
WHERE spare.region = %s AND spare.active AND NOT spare.declared
  AND named.container = spare.container AND named.active AND named.declared

-- name: provision
UPDATE device SET client_id = %s, secret_hash = %s, provisioned_at = %s
WHERE name = %s AND active AND source = ''

-- name: devices
SELECT d.id, d.name, d.kind, d.container, d.vehicle, g.name, d.client_id, d.secret_hash,
       d.source, d.alias, d.model
FROM device d
LEFT JOIN device g ON g.id = d.gateway
WHERE d.active
ORDER BY d.id

-- name: regions
SELECT id, name, zone, attribution, facts, loaded_at FROM region ORDER BY id

-- name: sites
SELECT id, region, name, lon, lat, curb, synthetic FROM site WHERE active ORDER BY id

-- name: containers
SELECT c.id, c.region, c.site, s.name, s.lon, s.lat, c.fraction, c.volume_l,
       c.synthetic OR s.synthetic, d.name
FROM container c
JOIN site s ON s.id = c.site
LEFT JOIN device d ON d.container = c.id AND d.active
WHERE c.active
ORDER BY c.id

-- name: vehicles
SELECT id, region, depot, name, services FROM vehicle WHERE active ORDER BY id

-- name: depots
SELECT id, region, name, lon, lat FROM depot WHERE active ORDER BY id

-- name: facilities
SELECT id, region, name, lon, lat FROM facility WHERE active ORDER BY id
