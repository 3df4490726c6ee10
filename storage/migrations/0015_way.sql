-- The fixes of a truck's day lie on as many pages as there are fixes, because all trucks write at
-- once. What a map draws of them is in the index of records, so it is read from a few pages.
DO $$
DECLARE before name;  -- servers differ in what they call it
BEGIN
    SELECT conname INTO STRICT before
    FROM pg_constraint WHERE conrelid = 'position'::regclass AND contype = 'u';
    ALTER TABLE position ADD CONSTRAINT position_record
        UNIQUE (device_id, time, seq) INCLUDE (vehicle, lon, lat, speed_mps, clock_suspect);
    EXECUTE format('ALTER TABLE position DROP CONSTRAINT %I', before);
END $$;
