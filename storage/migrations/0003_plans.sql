-- Plans as they were computed, their tours with the revision the trucks know, and what the
-- planner believed. No driver appears anywhere.

CREATE TABLE plan (
    id          text PRIMARY KEY,
    region      text NOT NULL REFERENCES region,
    service     text NOT NULL,
    depot       text NOT NULL,
    day         date NOT NULL,
    state       text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'superseded')),
    cost        jsonb NOT NULL,
    provider    jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    published_at timestamptz,
    engine      text NOT NULL,
    seed        bigint NOT NULL,
    estimate    boolean NOT NULL,
    job_id      bigint,
    job_attempt integer
);
CREATE INDEX plan_day ON plan (day, service, depot);
CREATE UNIQUE INDEX plan_one_published ON plan (day, service, depot) WHERE state = 'published';

CREATE TABLE tour (
    id          text PRIMARY KEY,
    plan        text NOT NULL REFERENCES plan ON DELETE CASCADE,
    vehicle     text NOT NULL REFERENCES vehicle,
    revision    integer NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    km          double precision NOT NULL,
    hours       double precision NOT NULL,
    kg          double precision NOT NULL,
    trips       integer NOT NULL,
    geometry    text NOT NULL,           -- polyline with 6 decimals
    attribution text NOT NULL,
    acknowledged_revision integer,
    accepted    boolean,
    reason      text,
    acknowledged_at timestamptz
);
CREATE INDEX tour_plan ON tour (plan);
CREATE INDEX tour_vehicle ON tour (vehicle, starts_at);

CREATE TABLE stop (
    tour       text NOT NULL REFERENCES tour ON DELETE CASCADE,
    number     integer NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('visit', 'unload', 'break')),
    place      text NOT NULL,            -- site, facility, or the rule that demands the break
    name       text NOT NULL,
    lon        double precision,
    lat        double precision,
    arrival    timestamptz NOT NULL,
    departure  timestamptz NOT NULL,
    service_s  integer NOT NULL,
    containers text[] NOT NULL,
    kg         double precision NOT NULL,
    litres     double precision NOT NULL,
    why        text NOT NULL,
    eur        double precision,
    PRIMARY KEY (tour, number)
);

CREATE TABLE unserved (
    plan       text NOT NULL REFERENCES plan ON DELETE CASCADE,
    site       text NOT NULL,
    containers text[] NOT NULL,
    reason     text NOT NULL,
    extra_eur  double precision,
    PRIMARY KEY (plan, site)
);

-- The newest revision a truck was sent on a day, over all plans: it only ever rises.
CREATE TABLE dispatch (
    vehicle  text NOT NULL REFERENCES vehicle,
    day      date NOT NULL,
    service  text NOT NULL,
    revision integer NOT NULL,
    tour     text NOT NULL,
    PRIMARY KEY (vehicle, day, service)
);

CREATE TABLE belief (
    container     text PRIMARY KEY REFERENCES container,
    fill          double precision NOT NULL,
    fill_sd       double precision NOT NULL,
    rate_per_day  double precision NOT NULL,
    overflow_risk double precision NOT NULL,  -- before the next chance to empty it
    prize_eur     double precision NOT NULL,
    computed_at   timestamptz NOT NULL
);

CREATE TABLE study (
    id         text PRIMARY KEY,
    region     text NOT NULL,
    name       text NOT NULL,
    scenario   jsonb NOT NULL,
    state      text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    results    jsonb,
    message    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    ended_at   timestamptz
);

CREATE TABLE audit (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL,
    who    text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    detail jsonb NOT NULL
);
CREATE INDEX audit_at ON audit (at);
