"""Messages of network servers and tracking servers, opened: theirs in, ours out."""

import base64
import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs.codec import Refusal
from ingest.codecs.envelopes import ENVELOPES, Report, decode_message, envelope_for

STACK = "v3/app@ttn/devices/bin-7/up"
CHIRP = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/24e124713c141234/event/up"
PHONE = "owntracks/fleet/truck-17"
FRAME = base64.b64encode(bytes.fromhex("01755c0367010104824408050001")).decode()
AT = datetime(2026, 1, 1, 7, 0, 1, 30_000, UTC)
EM400 = {"distance_mm": 2116, "battery_pct": 92, "temp_c": 25.7, "tilt": True}


def stack(**message: Any) -> dict[str, Any]:
    """Return an uplink of The Things Stack with the least there can be: no f_cnt, no model."""
    uplink = {"received_at": AT.isoformat(), "f_port": 85, "frm_payload": FRAME}
    return {"end_device_ids": {"device_id": "bin-7"}, "uplink_message": uplink | message}


def chirp(**up: Any) -> dict[str, Any]:
    """Return an uplink of ChirpStack without frame counter."""
    device = {"devEui": "24e124713c141234", "deviceProfileName": "EM400-MUD"}
    return {"time": AT.isoformat(), "deviceInfo": device, "fPort": 85, "data": FRAME} | up


def opened(topic: str, message: Any, model: str | None = None) -> tuple[Report, ...]:
    """Decode a message that must be readable."""
    reports = decode_message(topic, json.dumps(message).encode(), model)
    assert not isinstance(reports, Refusal), reports.reason
    return reports


def refused(topic: str, message: Any, model: str | None = None) -> Refusal:
    """Decode a message that must not be."""
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    refusal = decode_message(topic, payload, model)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def values(report: Report) -> dict[str, Any]:
    """Return what a report says."""
    return report.said.model_dump(exclude_none=True)


def test_the_sample_uplinks_give_the_frame_inside(outside_data: Path) -> None:
    """Both servers' messages about one frame mean the same reading, named by its counter.

    The model comes from what the server says; the time is that of `uplink_message`, to the
    microsecond.
    """
    samples = json.loads((outside_data / "payloads" / "lns_envelopes.json").read_text())
    (of_stack,) = opened(
        "v3/uwb-container@ttn/devices/bi-glas-0042-w/up", samples["tts_v3"]["payload"]
    )
    (of_chirp,) = opened(CHIRP, samples["chirpstack_v4"]["payload"])
    assert of_stack[:3] == ("bi-glas-0042-w", AT, 1287)
    assert of_chirp[:3] == ("24e124713c141234", AT, 1287)
    assert values(of_stack) == values(of_chirp) == EM400


def test_zero_is_left_out_and_means_zero() -> None:
    """The first frame of a session carries no counter at all; it is number 0, not an error."""
    (of_stack,) = opened(STACK, stack(), "milesight-em400-mud")
    (of_chirp,) = opened(CHIRP, chirp())
    assert of_stack.seq == of_chirp.seq == 0


def test_a_backfilled_uplink_is_the_same_record() -> None:
    """The time at the top is when the message was handed out, which differs after a backfill."""
    live = stack(f_cnt=7) | {"received_at": "2026-01-01T07:00:01.2Z"}
    late = stack(f_cnt=7) | {"received_at": "2026-01-03T12:00:00Z"}
    model = "milesight-em400-mud"
    assert opened(STACK, live, model) == opened(STACK, late, model)


def test_history_sent_twice_is_the_same_record() -> None:
    """A past reading is named by its own time alone, whichever frame it came in."""
    frame = base64.b64encode(bytes.fromhex("20ce00b955692000")).decode()
    first, again = (
        opened(STACK, stack(f_cnt=count, frm_payload=frame), "milesight-em500-udl")
        for count in (7, 9)
    )
    assert first == again
    assert first[0][:3] == ("bin-7", datetime(2026, 1, 1, tzinfo=UTC), 0)


def test_the_registry_knows_the_model_better() -> None:
    """A model that we are told counts more than what the network server says."""
    uplink = stack(version_ids={"brand_id": "dragino", "model_id": "ldds75"})
    (report,) = opened(STACK, uplink, "milesight-em400-mud")
    assert values(report) == EM400


def test_a_tag_names_the_model() -> None:
    """A ChirpStack profile may be called anything; the tag `model` says what it is."""
    device = {"devEui": "24E124713C141234", "deviceProfileName": "Glas Nord"}
    tagged = device | {"tags": {"model": "milesight-em400-mud"}}
    (report,) = opened(CHIRP, chirp(deviceInfo=tagged))
    assert values(report) == EM400
    refusal = refused(CHIRP, chirp(deviceInfo=device))
    assert (
        refusal.reason
        == "model: the network server names none that is known here; give it with --model"
    )
    assert refusal.sender == "24e124713c141234"


def test_vehicles_speak_si(outside_data: Path) -> None:
    """Knots of Traccar and km/h of OwnTracks are both metres per second; 0 m accuracy is none."""
    samples = json.loads((outside_data / "payloads" / "vehicle_samples.json").read_text())
    (phone,) = opened(PHONE, samples["owntracks"]["payload"])
    (tracker,) = opened("positions", samples["traccar_forward"]["payload"])
    at = datetime(2026, 1, 1, 7, tzinfo=UTC)
    assert phone[:3] == ("fleet/truck-17", at, 0)
    assert tracker[:3] == ("352093085698206", at, 0)
    same = {"time": at, "lon": 8.554, "lat": 52.0305, "speed_mps": 6.39, "heading_deg": 92.0}
    assert values(phone) == same | {"altitude_m": 118.0, "accuracy_m": 8.0}
    extra = {"altitude_m": 118.0, "satellites": 14, "ignition": True, "inputs": {1: 1}}
    assert values(tracker) == same | extra


@pytest.mark.parametrize(
    ("topic", "message", "reason"),
    [
        ("v3/app@ttn/devices/bin-7/join", {}, "topic: no envelope reads it"),
        (CHIRP.replace("/up", "/status"), {}, "topic: no envelope reads it"),
        (STACK, b"not json", "things-stack-v3: Invalid JSON"),
        (STACK, {}, "things-stack-v3: end_device_ids: Field required"),
        (STACK.replace("bin-7", "bin-8"), stack(), "things-stack-v3: end_device_ids.device_id: "),
        (STACK, stack() | {"simulated": True}, "things-stack-v3: simulated: "),
        (STACK, stack(frm_payload=""), "things-stack-v3: uplink_message.frm_payload: missing"),
        (STACK, stack(frm_payload="§"), "things-stack-v3: uplink_message.frm_payload: not base64"),
        (STACK, stack(), "model: the network server names none"),
        (STACK, stack(received_at="2026-01-01T07:00"), "things-stack-v3: uplink_message.received"),
        (CHIRP.replace("1234/", "9999/"), chirp(), "chirpstack-v4: deviceInfo.devEui: not the"),
        (CHIRP, chirp(fPort=0), "port: milesight-em400-mud sends measurements on port 85"),
        (CHIRP, chirp(data="A2c="), "temp_c: the frame is too short"),
        (PHONE, {"_type": "lwt", "tst": 1}, "owntracks: _type: 'lwt' carries no position"),
        (PHONE, {"_type": "location", "tst": 1}, "owntracks: lat: Field required"),
        ("positions", {"position": {}}, "traccar: position.fixTime: Field required"),
        (STACK, b" " * 70_000, "payload: 70000 bytes, at most 65536 are taken"),
    ],
)
def test_what_cannot_be_used_says_what_is_missing(topic: str, message: Any, reason: str) -> None:
    """The dead letter names the server's own field."""
    assert refused(topic, message).reason.startswith(reason)


def test_a_tracker_without_a_fix_is_no_position(outside_data: Path) -> None:
    """Traccar repeats the last place, or 0, 0, and says that it is not valid."""
    samples = json.loads((outside_data / "payloads" / "vehicle_samples.json").read_text())
    sample = copy.deepcopy(samples["traccar_forward"]["payload"])
    sample["position"]["valid"] = False
    assert "no fix" in refused("positions", sample).reason


def test_each_topic_has_one_envelope() -> None:
    """No two kinds of server claim the same topic."""
    for topic in (STACK, CHIRP, PHONE, "positions", "fleet/positions"):
        assert sum(envelope.reads(topic) for envelope in ENVELOPES) == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
LOCATION = {"_type": "location", "tst": 1_767_250_800, "lat": 52.0, "lon": 8.5, "vel": 3.0}
POSITION = {
    "position": {
        "fixTime": AT.isoformat(),
        "latitude": 52.0,
        "longitude": 8.5,
        "attributes": {"io1": 1},
    },
    "device": {"uniqueId": "1"},
}
MESSAGES = {STACK: stack(), CHIRP: chirp(), PHONE: LOCATION, "positions": POSITION}


@given(st.sampled_from(sorted(MESSAGES)), st.data())
def test_no_message_raises(topic: str, data: st.DataObject) -> None:
    """A good message with anything put in anywhere, or any bytes at all: an answer."""
    message: Any = copy.deepcopy(MESSAGES[topic])
    inner = message
    while True:
        field = data.draw(st.sampled_from(sorted(inner)))
        if not isinstance(inner[field], dict) or data.draw(st.booleans()):
            break
        inner = inner[field]
    inner[field] = data.draw(anything)
    raw = data.draw(st.binary(max_size=40))
    for payload in (json.dumps(message).encode(), raw):
        answer = decode_message(topic, payload, "milesight-em400-mud")
        if not isinstance(answer, Refusal):
            assert all(json.loads(report.said.model_dump_json()) for report in answer)


def test_an_envelope_reads_no_topic_of_the_contract() -> None:
    """Our own devices are read by our own contract."""
    assert envelope_for("binround/v1/town/devices/s-1/up/level") is None


def test_deep_json_is_refused() -> None:
    """A hundred thousand brackets do not bring the ingester down."""
    assert refused(STACK, b'{"a":' + b"[" * 60_000).reason.startswith("things-stack-v3: Invalid")
