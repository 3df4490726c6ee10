-- name: forget
DELETE FROM km_day WHERE day = %(day)s

-- name: compute
-- The way from each fix to the next of the same device; it counts for the day of its end.
--
-- A fix that could be neither reached nor left at the fastest speed is no place where the vehicle was;
-- it is left out, and so is a way that is still faster. While a vehicle stands, its place trembles:
-- a way counts when either end (or, without a stated speed, the way itself) is faster than walking,
-- or when it is longer than trembling makes it. Of two units on one vehicle the greater sum counts.
WITH fix AS (
    SELECT vehicle, device_id, time, seq, speed_mps, radians(lon) AS x, radians(lat) AS y
    FROM position
    WHERE time >= %(since)s - %(longest_gap)s::interval AND time < %(until)s
      AND NOT clock_suspect AND coalesce(accuracy_m, 0) <= %(accuracy_m)s
),
reached AS (
    SELECT *, {way_m} > %(fastest_mps)s * {duration_s} AS too_fast
    FROM (SELECT *, {previous} FROM fix WINDOW line AS {line}) AS pair
),
sound AS (
    SELECT vehicle, device_id, time, seq, speed_mps, x, y, no_place
    FROM (
        SELECT *, coalesce(coalesce(too_fast, left_too_fast)
                           AND coalesce(left_too_fast, too_fast), false) AS no_place
        FROM (SELECT *, lead(too_fast) OVER {line} AS left_too_fast FROM reached) AS both_ways
    ) AS judged
),
way AS (
    SELECT vehicle, device_id, time, {way_m} AS m, {duration_s} AS s,
           greatest(speed_mps, previous_mps) AS stated_mps
    FROM (SELECT *, {previous} FROM sound WHERE NOT no_place WINDOW line AS {line}) AS pair
),
counted AS (
    SELECT vehicle, device_id, m, s,
           m > %(fastest_mps)s * s AS too_fast,
           s <= extract(epoch FROM %(longest_gap)s::interval)
           AND (coalesce(stated_mps, m / s) >= %(walking_mps)s OR m >= %(trembling_m)s) AS moves
    FROM way
    WHERE time >= %(since)s
),
total AS (
    SELECT vehicle, device_id,
           coalesce(sum(m) FILTER (WHERE moves AND NOT too_fast), 0) / 1000 AS km,
           count(*) AS fixes,
           count(*) FILTER (WHERE too_fast) AS jumps,
           count(*) FILTER (WHERE moves AND NOT too_fast AND s > %(silence_s)s) AS gaps
    FROM counted
    GROUP BY vehicle, device_id
),
left_out AS (
    SELECT vehicle, device_id, count(*) AS fixes
    FROM sound
    WHERE no_place AND time >= %(since)s
    GROUP BY vehicle, device_id
)
INSERT INTO km_day (vehicle, day, km, fixes, jumps, gaps)
SELECT DISTINCT ON (vehicle)
       vehicle, %(day)s, km, total.fixes, jumps + coalesce(left_out.fixes, 0), gaps
FROM total LEFT JOIN left_out USING (vehicle, device_id)
ORDER BY vehicle, km DESC, device_id

-- name: line
(PARTITION BY device_id, vehicle ORDER BY time, seq)

-- name: previous
lag(time) OVER line AS previous_time, lag(x) OVER line AS previous_x,
lag(y) OVER line AS previous_y, lag(speed_mps) OVER line AS previous_mps

-- name: duration_s
greatest(extract(epoch FROM time - previous_time), 1)::float8

-- name: way_m
2 * %(radius_m)s * asin(sqrt(
    sin((y - previous_y) / 2) ^ 2
    + cos(y) * cos(previous_y) * sin((x - previous_x) / 2) ^ 2))
