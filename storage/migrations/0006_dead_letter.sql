-- A bad message that is delivered again is the same dead letter, not another one.
ALTER TABLE dead_letter ADD COLUMN repeats integer NOT NULL DEFAULT 0;  -- how often it came again

UPDATE dead_letter kept SET repeats = same.count - 1
FROM (
    SELECT min(id) AS first, count(*) FROM dead_letter GROUP BY topic, payload HAVING count(*) > 1
) same
WHERE kept.id = same.first;
DELETE FROM dead_letter later USING dead_letter earlier
WHERE later.topic = earlier.topic AND later.payload = earlier.payload AND later.id > earlier.id;

CREATE UNIQUE INDEX dead_letter_same ON dead_letter (md5(topic), sha256(payload));
