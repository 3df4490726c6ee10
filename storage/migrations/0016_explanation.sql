-- Why each site is visited or waits, what that costs and what would change it: a JSON document.
-- Plans from before have none.

ALTER TABLE basis ADD COLUMN explanation bytea;  -- zlib
