-- name: entries
SELECT d.name, d.kind, d.container, d.vehicle, g.name, d.declared,
       d.provisioned_at, d.revoked_at, d.source, d.alias, d.model
FROM device d
LEFT JOIN device g ON g.id = d.gateway
WHERE d.region = %(region)s AND (d.active OR d.revoked_at IS NOT NULL)
  AND (%(name)s::text IS NULL OR d.name = %(name)s)
  AND (%(kind)s::text IS NULL OR d.kind = %(kind)s)
  AND (%(revoked)s::boolean IS NULL OR (d.revoked_at IS NOT NULL) = %(revoked)s)
  AND (%(after)s::text IS NULL OR d.name > %(after)s)
ORDER BY d.name
LIMIT %(limit)s

-- name: lock_container
-- Weak enough not to hold up telemetry, whose rows refer to the container.
SELECT FROM container WHERE id = %s FOR NO KEY UPDATE

-- name: container_is_free
SELECT NOT EXISTS (SELECT FROM device d WHERE d.container = c.id AND d.active AND d.name <> %s)
FROM container c WHERE c.id = %s AND c.region = %s AND c.active

-- name: vehicle_exists
SELECT true FROM vehicle WHERE id = %s AND region = %s AND active

-- name: gateway_exists
SELECT true FROM device WHERE name = %s AND region = %s AND kind = 'gateway' AND active

-- name: alias_owner
SELECT name FROM device WHERE source = %s AND alias = %s AND active AND name <> %s

-- name: free_alias
UPDATE device SET source = '', alias = NULL
WHERE source = %s AND alias = %s AND NOT active AND name <> %s

-- name: add
-- One that is in use may move from our own broker to a source, as what it is and where it is.
INSERT INTO device AS known
    (region, name, kind, container, vehicle, gateway, source, alias, model, declared)
VALUES (%s, %s, %s, %s, %s, (SELECT id FROM device WHERE name = %s), %s, %s, %s, false)
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, container = excluded.container, vehicle = excluded.vehicle,
    gateway = excluded.gateway, source = excluded.source, alias = excluded.alias,
    model = excluded.model, active = true, revoked_at = NULL,
    client_id = NULL, secret_hash = NULL, provisioned_at = NULL
WHERE known.region = excluded.region
  AND (NOT known.active
       OR known.source = '' AND excluded.source <> '' AND known.kind = excluded.kind
          AND known.container IS NOT DISTINCT FROM excluded.container)

-- name: revoke
UPDATE device
SET active = false, revoked_at = %s, client_id = NULL, secret_hash = NULL, provisioned_at = NULL
WHERE name = %s AND region = %s AND active
