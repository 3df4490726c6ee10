-- Devices of other makers behind other servers: what they are called there, what they sent, byte
-- for byte, and how their distances are read.

ALTER TABLE device ADD COLUMN source text NOT NULL DEFAULT '';  -- of the region; '': our own broker
ALTER TABLE device ADD COLUMN alias text;                       -- its name at the source
ALTER TABLE device ADD COLUMN model text;                       -- vendor-model
ALTER TABLE device ADD CONSTRAINT device_alias UNIQUE (source, alias);
ALTER TABLE device ADD CONSTRAINT device_has_alias CHECK ((source = '') = (alias IS NULL));

ALTER TABLE status ADD COLUMN battery_pct integer;
ALTER TABLE status ADD COLUMN tilt boolean;       -- of a sensor, so of the lid that it sits in
ALTER TABLE last_status ADD COLUMN battery_pct integer;
ALTER TABLE last_status ADD COLUMN tilt boolean;

-- A frame is kept as it came, so that a mended decoder can read it again. Its model is whose
-- decoder read it, or, for a server that sends JSON, the server's.
CREATE TABLE frame (
    time          timestamptz NOT NULL,  -- by the network that received it, or by the frame itself
    device_id     integer NOT NULL,
    seq           bigint NOT NULL,
    container     text NOT NULL,
    model         text NOT NULL,
    port          integer,               -- of LoRaWAN
    payload       bytea NOT NULL,
    received_at   timestamptz NOT NULL,
    clock_suspect boolean NOT NULL,
    UNIQUE (device_id, time, seq)
);
CREATE INDEX ON frame (received_at) WHERE clock_suspect;

CREATE TABLE tracker_frame (
    time          timestamptz NOT NULL,
    device_id     integer NOT NULL,
    seq           bigint NOT NULL,
    vehicle       text NOT NULL,
    model         text NOT NULL,
    port          integer,
    payload       bytea NOT NULL,
    received_at   timestamptz NOT NULL,
    clock_suspect boolean NOT NULL,
    UNIQUE (device_id, time, seq)
);
CREATE INDEX ON tracker_frame (received_at) WHERE clock_suspect;

-- How a sensor's distances are read from an instant on; the first counts from the beginning.
CREATE TABLE calibration (
    device_id integer NOT NULL REFERENCES device,
    since     timestamptz NOT NULL,
    empty_mm  integer NOT NULL,
    full_mm   integer NOT NULL,
    shape     jsonb NOT NULL,            -- points: share of the height, share of the volume
    learned   boolean NOT NULL,          -- after emptyings, not by hand
    PRIMARY KEY (device_id, since)
);

-- Where a dead letter came from, and what its messages are written in.
ALTER TABLE dead_letter ADD COLUMN source text NOT NULL DEFAULT '';
ALTER TABLE dead_letter ADD COLUMN family text NOT NULL DEFAULT 'contract';
DROP INDEX dead_letter_same;
CREATE UNIQUE INDEX dead_letter_same ON dead_letter (source, md5(topic), sha256(payload));
