import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from tests.fixtures.api import PLAN, PlannedDay

pytestmark = pytest.mark.db


class Event(NamedTuple):
    """A server-sent event."""

    id: str
    name: str
    data: Any


@contextmanager
def listening(api: httpx.Client, last: str | None = None) -> Iterator[Iterator[Event]]:
    """Open the stream, as a browser does that heard `last`."""
    headers = {"Last-Event-ID": last} if last else {}
    with api.stream("GET", "/v1/live", headers=headers, timeout=15) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}


def until(events: Iterator[Event], name: str) -> Event:
    """Return the next event with a name; what comes before is of no interest."""
    return next(event for event in events if event.name == name)


def test_a_page_that_opens_learns_time_and_positions(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """The first two events need no change to happen."""
    planned_day.drive(8.53, 52.03, 1)
    with listening(api) as events:
        clock, positions = next(events), next(events)
    assert clock.data["now"] == "2026-11-23T04:30:00Z"
    (truck,) = positions.data["features"]
    assert (truck["id"], truck["geometry"]["coordinates"]) == (planned_day.vehicle, [8.53, 52.03])


def test_a_truck_moves_when_its_position_is_committed(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """No polling: the commit itself wakes the stream."""
    with listening(api) as events:
        until(events, "positions")
        planned_day.drive(8.54, 52.04, 2)
        moved = until(events, "positions")
    assert moved.data["features"][0]["geometry"]["coordinates"] == [8.54, 52.04]


def test_only_changed_containers_are_told(api: httpx.Client, planned_day: PlannedDay) -> None:
    """One reading is one container on the wire, not the whole city."""
    with listening(api) as events:
        until(events, "positions")
        name = planned_day.measure(0.91, 3)
        changed = until(events, "containers")
    assert [(c["id"], c["reading"]["fill"]) for c in changed.data["items"]] == [(name, 0.91)]


def test_a_publication_and_its_progress_are_told(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """The dispatcher's screen follows the plan and what the truck does with it."""
    with listening(api) as events:
        until(events, "positions")
        planned_day.publish()
        plan = until(events, "plan")
        planned_day.report("stop-done", 5400, stop=1)
        told = until(events, "tour")
        while told.data["progress"]["stops_done"] == 0:
            told = until(events, "tour")
    assert plan.data == {"plan": PLAN}
    assert told.data["id"] == planned_day.tour


def test_who_comes_back_is_told_what_was_missed(api: httpx.Client, planned_day: PlannedDay) -> None:
    """With `Last-Event-ID` a client needs no second load of everything."""
    with listening(api) as events:
        last = until(events, "positions").id
    name = planned_day.measure(0.77, 4)
    planned_day.publish()

    with listening(api, last) as events:
        missed = {event.name: event.data for event in (next(events) for _ in range(5))}

    assert set(missed) == {"clock", "positions", "plan", "tour", "containers"}
    assert missed["plan"] == {"plan": PLAN}
    assert [container["id"] for container in missed["containers"]["items"]] == [name]


def test_who_was_away_too_long_loads_again(api: httpx.Client, planned_day: PlannedDay) -> None:
    """An id that the outbox does not hold any more means: load everything."""
    with listening(api, "999999") as events:
        assert until(events, "reset").data == {}


def test_one_who_stops_reading_does_not_keep_others_waiting(
    api_address: str, planned_day: PlannedDay
) -> None:
    """A stuck client costs a bounded queue; the next client gets its news in time."""
    with (
        httpx.Client(base_url=api_address) as stuck,
        httpx.Client(base_url=api_address) as other,
        listening(stuck),
        listening(other) as events,
    ):
        until(events, "positions")
        for second in range(3):
            planned_day.drive(8.5 + second / 100, 52.0, 10 + second)
            assert until(events, "positions").data["features"]
