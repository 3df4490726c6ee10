-- Which job a repeated request belongs to. `key` and `body` are digests: whoever asked and what
-- was asked cannot be read from them. Rows are forgotten after a day.
CREATE TABLE idempotency (
    key    text PRIMARY KEY,
    body   text NOT NULL,
    job_id bigint NOT NULL,
    at     timestamptz NOT NULL
);
CREATE INDEX idempotency_at ON idempotency (at);
