from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from storage import outbox, telemetry
from storage.database import Database
from storage.landing import takes_copy
from storage.telemetry import (
    Batch,
    DeadLetterRow,
    EventRow,
    LevelRow,
    PositionRow,
    StatusRow,
    store,
)

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
STATES = ("last_level", "last_position", "last_event", "last_status")
HISTORY = ("level", "position", "event", "status", "emptying")
Row = LevelRow | PositionRow | EventRow | StatusRow


def _level(second: int = 0, device: int = 1, **changes: Any) -> LevelRow:
    at = NOW + timedelta(seconds=second)
    row = LevelRow(at, device, second, f"bin-{device}", 0.5, 900, 12.5, 3.6, 0, NOW, False)
    return row._replace(**changes)


def _position(second: int = 0, device: int = 7, **changes: Any) -> PositionRow:
    at = NOW + timedelta(seconds=second)
    row = PositionRow(at, device, second, "truck", 8.5, 52.0, 7.5, 90, 3, 0, NOW, False)
    return row._replace(**changes)


def _lift(second: int = 0, device: int = 7, **changes: Any) -> EventRow:
    at = NOW + timedelta(seconds=second)
    row = EventRow(
        *(at, device, second, "truck", "lift", "tour", 1, "bin-1", None, 120.0, 8.5, 52.0, None),
        *(0, NOW, False),
    )
    return row._replace(**changes)


def _status(second: int = 0, device: int = 7, **changes: Any) -> StatusRow:
    at = NOW + timedelta(seconds=second)
    return StatusRow(at, device, second, True, 12.6, None, None, "1.0", 0, NOW, False)._replace(
        **changes
    )


def _batch(rows: Sequence[Row]) -> Batch:
    return Batch(
        levels=[row for row in rows if isinstance(row, LevelRow)],
        positions=[row for row in rows if isinstance(row, PositionRow)],
        events=[row for row in rows if isinstance(row, EventRow)],
        statuses=[row for row in rows if isinstance(row, StatusRow)],
    )


def _contents(connection: psycopg.Connection, tables: Sequence[str]) -> dict[str, list[Any]]:
    return {
        table: connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()  # noqa: S608
        for table in tables
    }


def _events(connection: psycopg.Connection, table: str) -> list[EventRow]:
    columns = sql.SQL(", ").join(map(sql.Identifier, EventRow._fields))
    query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table))
    return [EventRow._make(row) for row in connection.execute(query)]


def test_a_batch_is_stored_in_one_go(each_database: Database) -> None:
    """Every row lands in its table, the newest of each device becomes its state."""
    rows: list[Row] = [_level(1), _level(0), _position(3), _position(2), _lift(4), _status(5)]
    with each_database.connect() as connection:
        stored = store(connection, _batch(rows))
        assert dict(stored.counts) == {
            "level": 2,
            "position": 2,
            "event": 1,
            "status": 1,
            "frame": 0,
            "tracker_frame": 0,
            "dead_letter": 0,
        }
        assert not stored.used_fallback
        assert telemetry.latest_levels(connection) == {"bin-1": _level(1)}
        assert telemetry.latest_positions(connection) == {"truck": _position(3)}
        for table in ("event", "last_event"):
            assert _events(connection, table) == [_lift(4)]


def test_what_comes_twice_is_stored_once(each_database: Database) -> None:
    """A redelivered batch changes nothing; the counts say that it was one."""
    rows: list[Row] = [_level(second) for second in range(50)]
    with each_database.connect() as connection:
        store(connection, _batch(rows))
        before = _contents(connection, HISTORY + STATES)
        again = store(connection, _batch(rows))
        assert (again.duplicates, again.counts["level"]) == (50, 0)
        assert again.used_fallback == takes_copy(connection)
        assert _contents(connection, HISTORY + STATES) == before
        mixed = store(connection, _batch([*rows[:10], _level(99)]))
        assert (mixed.duplicates, mixed.counts["level"]) == (10, 1)


def test_one_bad_row_never_blocks_its_neighbours(each_database: Database) -> None:
    """What the database refuses becomes a dead letter with a reason; the others land."""
    bad: list[Row] = [
        _level(1, container="bin\x00"),
        _level(2, seq=2**70),
        _level(3, container="\ud800"),
        _level(4, distance_mm=2**40),
        _level(5, fill=None),
    ]
    good: list[Row] = [_level(second) for second in range(10, 60)]
    with each_database.connect() as connection:
        stored = store(connection, _batch([*good[:25], *bad, *good[25:], _position(1)]))
        assert (stored.refused, stored.counts["level"], stored.counts["position"]) == (5, 50, 1)
        letters = telemetry.dead_letters(connection)
        assert len(letters) == 5
        assert all(letter.reason and letter.topic == "row/level" for letter in letters)
        assert telemetry.latest_levels(connection) == {"bin-1": good[-1]}


def test_dead_letters_keep_the_bytes(each_database: Database) -> None:
    """A bad message is kept as it came, even when its topic cannot be a text."""
    letters = [
        DeadLetterRow(NOW, "a/b", b"\x00\xff", "no JSON"),
        DeadLetterRow(NOW, "a/\x00", b"{}", "strange \ud800 topic"),
    ]
    with each_database.connect() as connection:
        stored = store(connection, Batch(dead_letters=letters, levels=[_level()]))
        assert stored.counts["dead_letter"] == 2
        kept = telemetry.dead_letters(connection)
        assert {letter.payload for letter in kept} == {b"\x00\xff", b"{}"}
        assert {letter.topic for letter in kept} == {"a/b", "a/\N{REPLACEMENT CHARACTER}"}


def test_a_suspect_clock_never_becomes_the_state(each_database: Database) -> None:
    """A record from 1970 or from the future is kept as history, but is no state or forecast."""
    wrong = [
        _level(1, time=datetime(1970, 1, 1, tzinfo=UTC), clock_suspect=True),
        _level(2, time=datetime(2040, 1, 1, tzinfo=UTC), clock_suspect=True),
    ]
    with each_database.connect() as connection:
        stored = store(connection, Batch(levels=[*wrong, _level(0)]))
        assert stored.counts["level"] == 3
        assert telemetry.latest_levels(connection) == {"bin-1": _level(0)}
        everything = telemetry.fill_history(
            connection, datetime(1960, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
        )
        assert everything.fill.tolist() == [0.5]


def test_the_news_are_told_once_a_batch(each_database: Database) -> None:
    """One outbox row of kind telemetry a batch, in the same transaction; none for nothing."""
    with each_database.connect(autocommit=True) as connection:
        with connection.transaction(force_rollback=True):
            store(connection, Batch(levels=[_level(1), _level(2)], events=[_lift(3)]))
            store(connection, Batch())
            (news,) = outbox.after(connection, 0)
            assert (news.kind, dict(news.payload)) == ("telemetry", {"level": 2, "event": 1})
        assert outbox.after(connection, 0) == []
        assert telemetry.totals(connection).level == 0


def test_unsaid_news_are_told_with_a_later_batch(each_database: Database) -> None:
    """A batch may keep its news to itself; the next one tells both, and repeats are no news."""
    with each_database.connect(autocommit=True) as connection:
        quiet = store(connection, Batch(levels=[_level(1)]), unsaid=None)
        assert outbox.after(connection, 0) == []
        store(connection, Batch(levels=[_level(1), _level(2)]), unsaid=quiet.news)
        store(connection, Batch(levels=[_level(1), _level(2)]))
        (news,) = outbox.after(connection, 0)
        assert dict(news.payload) == {"level": 2}


def test_whoever_inserts_the_newest_record_is_kept(each_database: Database) -> None:
    """The database itself keeps devices' newest records, in any order, suspects left out."""
    with each_database.connect(autocommit=True) as connection:
        for seq, suspect in ((2, False), (1, False), (3, True)):
            connection.execute(
                "INSERT INTO level (time, device_id, seq, container, fill, boot, received_at,"
                " clock_suspect) VALUES (%s, 1, %s, 'bin-1', 0.5, 0, %s, %s)",
                [NOW + timedelta(seconds=seq), seq, NOW, suspect],
            )
        assert telemetry.latest_levels(connection)["bin-1"].seq == 2


def test_a_callers_transaction_holds_it_together(each_database: Database) -> None:
    """Inside a transaction a batch stands or falls with it, duplicates and all."""
    with each_database.connect(autocommit=True) as connection:
        store(connection, Batch(levels=[_level(1)]))
        with connection.transaction(force_rollback=True):
            assert store(connection, Batch(levels=[_level(1), _level(2)])).duplicates == 1
            assert telemetry.totals(connection).level == 2
        assert telemetry.totals(connection).level == 1


def test_history_comes_as_arrays(each_database: Database) -> None:
    """Levels and liftings of a span, its end excluded, in the order of time."""
    with each_database.connect() as connection:
        store(connection, Batch(levels=[_level(s, fill=s / 8) for s in (3, 1, 2)]))
        store(connection, Batch(events=[_lift(2), _lift(1, kind="stop-done")]))
        span = (NOW + timedelta(seconds=1), NOW + timedelta(seconds=3))
        history = telemetry.fill_history(connection, *span)
        assert history.container.tolist() == ["bin-1", "bin-1"]
        assert history.fill.tolist() == [0.125, 0.25]
        assert history.time.dtype == np.dtype("datetime64[us]")
        assert history.time[0] == np.datetime64("2026-11-23T06:00:01", "us")
        lifted = telemetry.liftings(connection, *span)
        assert lifted.container.tolist() == ["bin-1"]
        nothing = telemetry.fill_history(connection, NOW - timedelta(days=2), NOW)
        assert len(nothing.container) == len(nothing.time) == len(nothing.fill) == 0


_second, _seq = st.integers(0, 4), st.integers(0, 3)
_weight = st.sampled_from([None, 0.0, 100.0, 120.0])
_rows = st.one_of(
    st.builds(_level, _second, st.integers(1, 3), seq=_seq, clock_suspect=st.booleans()),
    st.builds(_position, _second, st.integers(7, 8), seq=_seq),
    st.builds(_lift, _second, st.integers(7, 8), seq=_seq, kg=_weight),
    st.builds(_status, _second, st.integers(7, 8), seq=_seq),
)


@st.composite
def _deliveries(draw: st.DrawFn) -> tuple[list[Row], list[list[Row]]]:
    """Return records, and the same records as they might arrive: any order, doubled, in lots."""
    records = draw(st.lists(_rows, max_size=30, unique_by=lambda row: (type(row), *row[:3])))
    doubled = records + draw(
        st.lists(st.sampled_from(records), max_size=10) if records else st.just([])
    )
    arriving = draw(st.permutations(doubled))
    cuts = sorted(draw(st.lists(st.integers(0, len(arriving)), max_size=5)))
    edges = [0, *cuts, len(arriving)]
    return records, [arriving[a:b] for a, b in pairwise(edges)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=_deliveries())
def test_the_order_of_arrival_does_not_matter(
    database: Database, deliveries: tuple[list[Row], list[list[Row]]]
) -> None:
    """Any order, any repetition, any cut into batches ends in the state of in-order data."""
    records, lots = deliveries
    ends = []
    with database.connect(autocommit=True) as connection:
        in_order = [[row] for row in sorted(records, key=lambda row: (row.time, row.seq))]
        for way in (in_order, lots):
            with connection.transaction(force_rollback=True):
                for lot in way:
                    store(connection, _batch(lot))
                ends.append(_contents(connection, HISTORY + STATES))
    assert ends[0] == ends[1]
