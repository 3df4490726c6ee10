-- What devices say. `time` is the device's clock, never altered; (device, time, seq) names a
-- record for ever. level, position, event and status become time series right after this file
-- (storage/timeseries.py): hypertables on TimescaleDB, range partitions elsewhere.

CREATE TABLE level (
    time          timestamptz NOT NULL,
    device_id     integer NOT NULL,
    seq           bigint NOT NULL,
    container     text NOT NULL,
    fill          real NOT NULL,          -- share of the volume; above 1 it overflows
    distance_mm   integer,
    temperature_c real,
    battery_v     real,
    boot          integer NOT NULL,
    received_at   timestamptz NOT NULL,
    clock_suspect boolean NOT NULL,
    UNIQUE (device_id, time, seq)
);

CREATE TABLE position (
    time          timestamptz NOT NULL,
    device_id     integer NOT NULL,
    seq           bigint NOT NULL,
    vehicle       text NOT NULL,
    lon           double precision NOT NULL,
    lat           double precision NOT NULL,
    speed_mps     real,
    heading_deg   real,
    accuracy_m    real,
    boot          integer NOT NULL,
    received_at   timestamptz NOT NULL,
    clock_suspect boolean NOT NULL,
    UNIQUE (device_id, time, seq)
);

CREATE TABLE event (
    time          timestamptz NOT NULL,
    device_id     integer NOT NULL,
    seq           bigint NOT NULL,
    vehicle       text NOT NULL,
    kind          text NOT NULL,
    tour          text,
    stop          integer,
    container     text,
    facility      text,
    kg            double precision,
    lon           double precision,
    lat           double precision,
    reason        text,
    boot          integer NOT NULL,
    received_at   timestamptz NOT NULL,
    clock_suspect boolean NOT NULL,
    UNIQUE (device_id, time, seq)
);
CREATE INDEX ON event (tour, time) WHERE tour IS NOT NULL;

CREATE TABLE status (
    time          timestamptz NOT NULL,
    device_id     integer NOT NULL,
    seq           bigint NOT NULL,
    online        boolean NOT NULL,
    battery_v     real,
    firmware      text,
    boot          integer NOT NULL,
    received_at   timestamptz NOT NULL,
    clock_suspect boolean NOT NULL,
    UNIQUE (device_id, time, seq)
);

-- Rows with an impossible clock are found by when they came, for retention.
CREATE INDEX ON level (received_at) WHERE clock_suspect;
CREATE INDEX ON position (received_at) WHERE clock_suspect;
CREATE INDEX ON event (received_at) WHERE clock_suspect;
CREATE INDEX ON status (received_at) WHERE clock_suspect;

-- The newest record of each device and kind; the greatest (time, seq) wins, whatever the order
-- of arrival, and a record with a suspect clock never enters.
CREATE TABLE last_level (LIKE level, PRIMARY KEY (device_id));
CREATE TABLE last_position (LIKE position, PRIMARY KEY (device_id));
CREATE TABLE last_event (LIKE event, PRIMARY KEY (device_id));
CREATE TABLE last_status (LIKE status, PRIMARY KEY (device_id));

-- When a container was emptied: what forecasts need of the lift events, without the vehicle.
CREATE TABLE emptying (
    container text NOT NULL,
    time      timestamptz NOT NULL,
    kg        double precision,          -- what was lifted, where the unit weighs
    PRIMARY KEY (container, time)
);

CREATE TABLE dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    topic       text NOT NULL,
    payload     bytea NOT NULL,
    reason      text NOT NULL
);
CREATE INDEX dead_letter_received ON dead_letter (received_at);

-- Written in the same transaction as the change that it announces.
CREATE TABLE outbox (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    kind    text NOT NULL,
    key     text NOT NULL,
    payload jsonb NOT NULL
);
CREATE INDEX outbox_kind ON outbox (kind, id);
CREATE INDEX outbox_at ON outbox (at);
