-- name: save
INSERT INTO belief AS known
SELECT * FROM unnest(%b::text[], %b::float8[], %b::float8[], %b::float8[], %b::float8[],
                     %b::float8[], %b::timestamptz[])
ON CONFLICT (container) DO UPDATE
SET fill = excluded.fill, fill_sd = excluded.fill_sd, rate_per_day = excluded.rate_per_day,
    overflow_risk = excluded.overflow_risk, prize_eur = excluded.prize_eur,
    computed_at = excluded.computed_at
WHERE excluded.computed_at >= known.computed_at

-- name: load
SELECT container, fill, fill_sd, rate_per_day, overflow_risk, prize_eur, computed_at FROM belief
