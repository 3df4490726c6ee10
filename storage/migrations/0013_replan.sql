-- A published tour may change during the day. Its stops keep their numbers, by which trucks report
-- them, and no number is ever given again; `position` says in which order they are driven.
ALTER TABLE stop ADD COLUMN position integer NOT NULL DEFAULT 0;
UPDATE stop SET position = number;
ALTER TABLE stop ADD COLUMN locked boolean NOT NULL DEFAULT false;  -- must stay where it is

ALTER TABLE tour ADD COLUMN highest integer NOT NULL DEFAULT 0;     -- number given so far
UPDATE tour SET highest = (SELECT coalesce(max(number), 0) FROM stop WHERE stop.tour = tour.id);

-- Proposals to change a published plan: what happened, from which tours each was made, the tours
-- as they would be, and what people are told about it. Accepted events hold for the rest of the day.
CREATE TABLE replan (
    id          text PRIMARY KEY,
    plan        text NOT NULL REFERENCES plan ON DELETE CASCADE,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'refused')),
    events      jsonb NOT NULL,
    basis       jsonb NOT NULL,
    tours       jsonb NOT NULL,
    undone      jsonb NOT NULL,
    told        jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    decided_at  timestamptz,
    job_id      bigint,
    job_attempt integer
);
CREATE INDEX replan_plan ON replan (plan, created_at);
CREATE INDEX replan_job ON replan (job_id);
