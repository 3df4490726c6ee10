"""A peer: mq-bridge (PyPI), MQTT to PostgreSQL in Rust, in its mode that takes out duplicates.

`python -m benchmarks.ingest.peer PORT FILTER`; logins and the database's address come from the
environment. Its faster mode, a bulk COPY, cannot: what comes again would be stored again.
"""

import os
import sys

import mq_bridge

TABLE = """
CREATE TABLE peer_position (
    time        timestamptz NOT NULL,
    device_id   integer NOT NULL,
    seq         bigint NOT NULL,
    vehicle     text NOT NULL,
    lon         double precision NOT NULL,
    lat         double precision NOT NULL,
    speed_mps   real,
    heading_deg real,
    accuracy_m  real,
    UNIQUE (device_id, time, seq)
)
"""
_COLUMNS = ("time::timestamptz", "device_id::int4", "seq::int8", "vehicle::text", "lon::float8",
            "lat::float8", "speed_mps::float4", "heading_deg::float4",
            "accuracy_m::float4")  # fmt: skip


def main(port: str, topic: str) -> None:
    """Run until somebody ends it."""
    names = ", ".join(column.partition("::")[0] for column in _COLUMNS)
    values = ", ".join(
        "${payload:%s}::%s" % tuple(column.split("::"))  # noqa: UP031  braces are the peer's
        for column in _COLUMNS
    )
    route = mq_bridge.Route.from_config(
        {
            "input": {
                "mqtt": {
                    "url": f"tcp://127.0.0.1:{port}",
                    "topic": topic,
                    "protocol": "v3",
                    "qos": 1,
                    "clean_session": False,
                    "client_id": os.environ["SUBSCRIBER_CLIENT_ID"],
                    "username": os.environ["SUBSCRIBER_USER"],
                    "password": os.environ["SUBSCRIBER_PASSWORD"],
                    "queue_capacity": 2000,
                    "max_inflight": 2000,
                }
            },
            "output": {
                "sqlx": {
                    "url": os.environ["PEER_DATABASE_URL"],
                    "table": "peer_position",
                    "insert_query": f"INSERT INTO peer_position ({names}) VALUES ({values}) "  # noqa: S608
                    "ON CONFLICT DO NOTHING",
                }
            },
            "batch_size": 1000,
        }
    )
    route.start()
    print("READY", flush=True)
    sys.stdin.read()
    route.stop()


if __name__ == "__main__":
    main(*sys.argv[1:3])
