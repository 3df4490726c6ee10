-- name: knows_vehicle
SELECT EXISTS (SELECT FROM vehicle WHERE id = %s)

-- name: assign
INSERT INTO crew.assignment (vehicle, day, name)
SELECT %s, %s, unnest(%s::text[])

-- name: clear
DELETE FROM crew.assignment
WHERE (%(vehicle)s::text IS NULL OR vehicle = %(vehicle)s)
  AND (%(day)s::date IS NULL OR day = %(day)s)

-- name: show
SELECT vehicle, day, name
FROM crew.assignment
WHERE (%(vehicle)s::text IS NULL OR vehicle = %(vehicle)s)
  AND (%(day)s::date IS NULL OR day = %(day)s)
ORDER BY day, vehicle, name
