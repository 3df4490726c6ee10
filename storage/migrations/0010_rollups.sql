-- What is kept in short. The roll-ups of fill levels and of the fleet are made right after this
-- file (storage/rollups.py), because servers differ in what they are.

-- Kilometres of a vehicle on a day of the region's zone (storage/kilometres.py).
CREATE TABLE km_day (
    vehicle text NOT NULL,
    day     date NOT NULL,
    km      double precision NOT NULL,
    fixes   integer NOT NULL,            -- that the kilometres were computed from
    jumps   integer NOT NULL,            -- fixes left out, because nothing drives that fast
    gaps    integer NOT NULL,            -- silences while driving, bridged by a straight line
    PRIMARY KEY (vehicle, day)
);

-- What came before this instant is in the roll-ups of a series.
CREATE TABLE rolled_up (
    series     text PRIMARY KEY,
    came_until timestamptz NOT NULL
);

-- Late readings are found by when they came. Rows lie in that order, so an index of a few pages
-- serves, and costs the writer next to nothing.
CREATE INDEX ON level USING brin (received_at);
CREATE INDEX ON position USING brin (received_at);
