-- What an operator declares, as loaded from the region's folder, and the devices with credentials.
-- Nothing is deleted here: what a region no longer names becomes inactive, its history stays.

CREATE TABLE region (
    id          text PRIMARY KEY,
    name        text NOT NULL,
    zone        text NOT NULL,
    attribution text NOT NULL,
    facts       jsonb NOT NULL,          -- everything declared but sites and containers
    loaded_at   timestamptz NOT NULL
);

CREATE TABLE fraction (
    region  text NOT NULL REFERENCES region,
    id      text NOT NULL,
    name_de text NOT NULL,
    name_en text NOT NULL,
    active  boolean NOT NULL DEFAULT true,
    PRIMARY KEY (region, id)
);

CREATE TABLE depot (
    id     text PRIMARY KEY,
    region text NOT NULL REFERENCES region,
    name   text NOT NULL,
    lon    double precision NOT NULL,
    lat    double precision NOT NULL,
    active boolean NOT NULL DEFAULT true
);

CREATE TABLE facility (
    id      text PRIMARY KEY,
    region  text NOT NULL REFERENCES region,
    name    text NOT NULL,
    lon     double precision NOT NULL,
    lat     double precision NOT NULL,
    accepts text[] NOT NULL,
    active  boolean NOT NULL DEFAULT true
);

CREATE TABLE vehicle (
    id       text PRIMARY KEY,
    region   text NOT NULL REFERENCES region,
    depot    text NOT NULL REFERENCES depot,
    name     text NOT NULL,
    services text[] NOT NULL,
    active   boolean NOT NULL DEFAULT true
);

CREATE TABLE site (
    id        text PRIMARY KEY,
    region    text NOT NULL REFERENCES region,
    name      text NOT NULL,
    lon       double precision NOT NULL,
    lat       double precision NOT NULL,
    curb      boolean NOT NULL,
    synthetic boolean NOT NULL,
    active    boolean NOT NULL DEFAULT true
);

CREATE TABLE container (
    id        text PRIMARY KEY,
    region    text NOT NULL REFERENCES region,
    site      text NOT NULL REFERENCES site,
    fraction  text NOT NULL,
    volume_l  double precision NOT NULL,
    synthetic boolean NOT NULL,
    active    boolean NOT NULL DEFAULT true,
    FOREIGN KEY (region, fraction) REFERENCES fraction
);
CREATE INDEX container_site ON container (site);

-- A sensor reports for one container, a unit for one vehicle; a gateway publishes for sensors.
CREATE TABLE device (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region         text NOT NULL REFERENCES region,
    name           text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9-]{1,32}$'),
    kind           text NOT NULL CHECK (kind IN ('sensor', 'unit', 'gateway')),
    container      text REFERENCES container,
    vehicle        text REFERENCES vehicle,
    gateway        integer REFERENCES device,
    client_id      text UNIQUE,
    secret_hash    text,
    provisioned_at timestamptz,
    active         boolean NOT NULL DEFAULT true
);
