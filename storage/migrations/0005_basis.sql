-- What a plan was decided on: its routing problem with all travel times, and the solution, as
-- JSON documents. Anybody can judge the plan again, or price a change to it, without a road engine.

CREATE TABLE basis (
    plan     text PRIMARY KEY REFERENCES plan ON DELETE CASCADE,
    problem  bytea NOT NULL,  -- zlib
    solution bytea NOT NULL   -- zlib
);
