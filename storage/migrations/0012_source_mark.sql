-- Up to when all messages of a source without a memory of its own are stored: where its network
-- server's storage is asked from after an outage. A restored backup asks from where it stood.
CREATE TABLE source_mark (
    source text PRIMARY KEY,             -- of the region
    until  timestamptz NOT NULL
);
