"""The path of a message: whatever comes, it ends as readings or as a refusal with a reason."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.counters import Counters
from ingest.messages import MAX_PAYLOAD_BYTES, Kind, up_topic
from ingest.parcel import Earlier
from ingest.receipts import Receipts
from ingest.rows import dead_letter, gather
from ingest.steps import EARLIEST, FARTHEST_AHEAD, PATH, Parcel, Surroundings, walk

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Device(NamedTuple):
    id: int
    name: str
    kind: str
    container: str | None = None
    vehicle: str | None = None
    model: str | None = None
    earlier: tuple[Earlier, ...] = ()


DEVICES = {
    device.name: device
    for device in (
        Device(1, "truck-1", "unit", vehicle="truck-1"),
        Device(2, "s-1", "sensor", container="c-1"),
        Device(3, "spare-unit", "unit"),
        Device(4, "spare-sensor", "sensor"),
        Device(5, "gw-1", "gateway"),
    )
}
AROUND = Surroundings("town", DEVICES)
POSITION = {"time": NOW.isoformat(), "seq": 1, "lon": 8.5, "lat": 52.0}


def send(device: str, kind: Kind, message: Any, region: str = "town") -> Parcel:
    """Lead a message along the path."""
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return walk(up_topic(region, device, kind), payload, NOW, AROUND)


def reason(parcel: Parcel) -> str:
    """Return why a message was refused."""
    assert parcel.refusal
    return parcel.refusal.reason


def told(parcels: list[Parcel]) -> list[tuple[str, str]]:
    """Return what units are told of a batch, without any pause."""
    said: list[tuple[str, str]] = []

    def tell(topic: str, payload: str) -> bool:
        said.append((topic, payload))
        return True

    receipts = Receipts(tell, "town", Counters(), pause_s=0)
    receipts.note(parcels, DEVICES)
    receipts.send()
    return said


def test_the_path_is_one_visible_list() -> None:
    """Four steps, in this order."""
    assert [step.__name__ for step in PATH] == ["decode", "identify", "validate", "judge_clock"]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, -(2**63), 2**63, "\x00", "1e400", NOW.isoformat()]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
FIELDS = ["time", "seq", "boot", "fill", "lon", "lat", "kind", "tour", "reason", "kg", "revision"]
almost = st.fixed_dictionaries(
    {"time": st.just(NOW.isoformat()) | anything, "seq": st.integers(0) | anything},
    optional=dict.fromkeys(FIELDS[2:], anything),
)
payloads = (
    st.binary(max_size=300)
    | anything.map(lambda value: json.dumps(value).encode())
    | almost.map(lambda value: json.dumps(value).encode())
    | almost.map(lambda value: json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
)
topics = st.text(max_size=60) | st.builds(
    up_topic,
    st.sampled_from(["town", "elsewhere"]),
    st.sampled_from(list(DEVICES)),
    st.sampled_from(Kind),
)


@given(topic=topics, payload=payloads)
@example(up_topic("town", "truck-1", Kind.POSITION), b"[" * 60_000)
@example(up_topic("town", "truck-1", Kind.POSITION), b'{"a":' * 12_000)
@example(up_topic("town", "truck-1", Kind.POSITION), b'{"time":1e400,"seq":1,"lon":0,"lat":0}')
@example(up_topic("town", "truck-1", Kind.POSITION), b'{"time":NaN,"seq":1,"lon":NaN,"lat":0}')
@example(up_topic("town", "truck-1", Kind.EVENT), b'{"seq":1' + b"0" * 5000 + b"}")
@example(up_topic("town", "truck-1", Kind.EVENT), b'{"kind":"\\ud800"}')
@example(up_topic("town", "truck-1", Kind.STATUS), b"x" * (MAX_PAYLOAD_BYTES + 1))
def test_nothing_that_a_device_sends_raises(topic: str, payload: bytes) -> None:
    """Hostile bytes become a dead letter that PostgreSQL can hold, or rows that fit."""
    parcel = walk(topic, payload, NOW, AROUND)
    haul = gather([parcel])
    told([parcel])
    if parcel.refusal:
        assert parcel.refusal.reason
        letter = dead_letter(parcel)
        assert letter.payload == payload[:MAX_PAYLOAD_BYTES]
        assert "\x00" not in letter.topic + letter.reason
        assert haul.dead_letters == [letter]
    else:
        rows = [*haul.levels, *haul.positions, *haul.events, *haul.statuses, *haul.answers]
        assert len(rows) == 1
        texts = [value for value in rows[0] if isinstance(value, str)]
        assert not any("\x00" in text for text in texts)
        assert all(text.encode() for text in texts if text)


@given(bad=st.lists(payloads, max_size=5), seed=st.randoms())
def test_a_bad_message_never_blocks_its_neighbours(bad: list[bytes], seed: Any) -> None:
    """Good messages among hostile ones all come through."""
    good = [json.dumps({**POSITION, "seq": number}).encode() for number in range(5)]
    mixed = [*bad, *good]
    seed.shuffle(mixed)
    haul = gather(send("truck-1", Kind.POSITION, payload) for payload in mixed)
    assert {row.seq for row in haul.positions} >= set(range(5))
    assert len(haul.positions) + len(haul.dead_letters) == len(mixed)


@pytest.mark.parametrize(
    ("device", "kind", "message", "why"),
    [
        ("nobody", Kind.STATUS, {"time": NOW.isoformat(), "seq": 1}, "nobody is not in the reg"),
        ("truck-1", Kind.LEVEL, {"time": NOW.isoformat(), "seq": 1, "fill": 1}, "sends no level"),
        ("s-1", Kind.POSITION, POSITION, "a sensor sends no position"),
        ("gw-1", Kind.POSITION, POSITION, "a gateway sends no position"),
        ("spare-unit", Kind.POSITION, POSITION, "in no vehicle"),
        (
            "spare-sensor",
            Kind.LEVEL,
            {"time": NOW.isoformat(), "seq": 1, "fill": 1},
            "at no container",
        ),
        ("truck-1", Kind.POSITION, {**POSITION, "lon": "8.5"}, "lon: Input should be a valid num"),
        ("truck-1", Kind.POSITION, {**POSITION, "lat": 90.1}, "lat: Input should be less than"),
        ("truck-1", Kind.POSITION, {**POSITION, "seq": True}, "seq: Input should be a valid int"),
        ("truck-1", Kind.POSITION, {**POSITION, "seq": -1}, "seq: Input should be greater"),
        ("truck-1", Kind.POSITION, {**POSITION, "time": "2026-06-01T12:00"}, "timezone"),
        ("truck-1", Kind.POSITION, {**POSITION, "time": "0001-01-01T00:00+14:00"}, "years 1 to"),
    ],
)
def test_a_refusal_names_what_is_wrong(device: str, kind: Kind, message: Any, why: str) -> None:
    """The person who looks at a dead letter learns the field and the rule, not the value."""
    assert why in reason(send(device, kind, message))


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"kind": "lift"}, "lift without container"),
        ({"kind": "stop-done"}, "stop-done without stop"),
        ({"kind": "stop-failed", "stop": 1}, "stop-failed without reason"),
        ({"kind": "unload"}, "unload without stop and kg"),
        ({"kind": "weigh"}, "weigh without kg"),
        ({"kind": "tour-end", "lon": 8.5}, "lon and lat come together"),
        ({"kind": "dance"}, "kind: Input should be 'tour-start'"),
    ],
)
def test_an_event_says_all_that_it_has_to(event: dict[str, Any], why: str) -> None:
    """A lift without its container, or a failure without a reason, cannot be used."""
    message = {"time": NOW.isoformat(), "seq": 1, **event}
    assert why in reason(send("truck-1", Kind.EVENT, message))


def test_another_region_is_not_served() -> None:
    """Each ingester serves one region."""
    assert "elsewhere is not served" in reason(
        send("truck-1", Kind.POSITION, POSITION, "elsewhere")
    )


def test_unknown_fields_are_ignored() -> None:
    """Devices may run ahead of the server."""
    parcel = send("truck-1", Kind.POSITION, {**POSITION, "mood": "good", "cargo": {"kg": [1]}})
    assert parcel.refusal is None


@pytest.mark.parametrize(
    ("instant", "suspect"),
    [
        (NOW, False),
        (NOW + FARTHEST_AHEAD, False),
        (NOW + FARTHEST_AHEAD + timedelta(microseconds=1), True),
        (NOW - timedelta(days=400), False),
        (EARLIEST, False),
        (EARLIEST - timedelta(microseconds=1), True),
        (datetime(1, 1, 1, tzinfo=UTC), True),
        (datetime(9999, 12, 31, tzinfo=UTC), True),
    ],
)
def test_a_clock_is_judged_by_ours(instant: datetime, suspect: bool) -> None:
    """Late data is normal; more than ten minutes ahead, or before 2020, cannot be right."""
    (reading,) = send("truck-1", Kind.POSITION, {**POSITION, "time": instant.isoformat()}).readings
    assert reading.clock_suspect is suspect
    assert reading.message.time == instant


def test_a_time_in_another_zone_is_the_same_record() -> None:
    """The instant is the name, not its spelling."""
    spelled = {**POSITION, "time": "2026-06-01T14:00:00+02:00"}
    (here,) = send("truck-1", Kind.POSITION, spelled).messages
    (there,) = send("truck-1", Kind.POSITION, POSITION).messages
    assert here == there


def test_a_dead_record_is_receipted_to_units_only() -> None:
    """A unit stops sending what can never be stored; a sensor waits for no answer."""
    bad = {**POSITION, "seq": 9, "boot": 2, "lon": 400}
    unreadable = send("truck-1", Kind.POSITION, b"{")
    parcels = [send("truck-1", Kind.POSITION, bad), unreadable, send("s-1", Kind.LEVEL, bad)]
    assert told(parcels) == [
        ("binround/v1/town/devices/truck-1/down/ack", '{"boot":2,"ranges":[[9,9]]}')
    ]


def test_a_unit_is_told_of_several_batches_at_once() -> None:
    """Until the pause is over receipts are collected; then one message tells all of them."""
    said, now_s = list[str](), 0.0

    def tell(_topic: str, payload: str) -> bool:
        said.append(payload)
        return True

    receipts = Receipts(tell, "town", Counters(), pause_s=0.25, monotonic=lambda: now_s)
    for seq in (1, 2):
        now_s += 0.1
        receipts.note([send("truck-1", Kind.POSITION, {**POSITION, "seq": seq})], DEVICES)
        receipts.send()
    assert said == []
    assert receipts.wait_s(9) == pytest.approx(0.15)
    now_s = 1
    receipts.send()
    assert said == ['{"boot":0,"ranges":[[1,2]]}']
    assert receipts.wait_s(9) == 9
