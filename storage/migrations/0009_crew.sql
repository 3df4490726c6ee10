-- Who sat in which vehicle on which day. A schema of its own: a database role that has no right to
-- it sees telemetry and plans, and nobody's name; a backup leaves its rows out.
CREATE SCHEMA crew;

CREATE TABLE crew.assignment (
    vehicle text NOT NULL REFERENCES vehicle,
    day     date NOT NULL,
    name    text NOT NULL,
    PRIMARY KEY (day, vehicle, name)
);
