"""Devices of other makers through the ingester: real frames in, stated values in the database."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.source import OWN_BROKER
from ingest.codecs.calibration import Calibration, fill_from_distance, tapered
from ingest.codecs.frames import decode_frame
from ingest.messages import Kind, up_topic
from ingest.replay import Replayed, replay
from ingest.steps import Surroundings
from simulator.sensors import SensorModel, Sensors
from simulator.waste import Waste
from storage import assets, calibrations, deadletters, devices
from tests.fixtures.makers import CHIRP, FLEET, LORA, PHONES, RAW, STRAIGHT, Makers, em400, uplink
from tests.fixtures.served import NOON
from tests.unit.test_codecs_vendors import FILES, load, told

pytestmark = pytest.mark.db
EM400 = "01755c0367010104824408050001"
SEVEN = datetime(2026, 1, 1, 7, tzinfo=UTC)
SAID = "FROM {} WHERE device_id = (SELECT id FROM device WHERE name = %s)"


def kept(makers: Makers, name: str) -> dict[str, Any]:
    """Return what the database holds of the one thing that a sensor said, by the frames' words."""
    (row,) = makers.rows(
        "SELECT l.fill, l.distance_mm, coalesce(l.battery_v, s.battery_v), s.battery_pct,"
        " l.temperature_c, s.tilt, f.model, f.port, f.payload"
        " FROM device d LEFT JOIN level l ON l.device_id = d.id"
        " LEFT JOIN status s ON s.device_id = d.id JOIN frame f ON f.device_id = d.id"
        " WHERE d.name = %s",
        name,
    )
    names = ("fill", "distance_mm", "battery_v", "battery_pct", "temp_c", "tilt", "model", "port",
             "payload")  # fmt: skip
    return dict(zip(names, row, strict=True))


def replayed(makers: Makers) -> Replayed:
    """Replay everything, as the command does."""
    with makers.database.connect() as connection:
        known = assets.by_source(assets.devices(connection).values())
        read = calibrations.histories(connection)
        return replay(
            connection,
            deadletters.all_ids(connection),
            lambda origin: Surroundings(makers.region.id, known.get(origin.id, {}), origin, read),
        )


def test_every_captured_frame_comes_through(makers: Makers, outside_data: Path) -> None:
    """Each value that a frame is known to hold stands in the database, and so do its bytes."""
    place = 0
    for file, models in FILES.items():
        for vector in load(outside_data, file)["vectors"]:
            for model in models:
                name = makers.attach(LORA, f"bin-{place}", model, place=place)
                port = vector["f_port"] or 85  # the items of the NB-IoT version have none
                refused = makers.uplink(f"bin-{place}", vector["hex"], port)
                place += 1
                if "expect_error" in vector:
                    assert vector["expect_error"] in refused[0]
                    continue
                assert refused == [], (model, vector["hex"])
                check_stated(kept(makers, name), vector["normalized"], vector["hex"], model)
    assert place > 15


def check_stated(row: dict[str, Any], stated: dict[str, Any], frame: str, model: str) -> None:
    """Compare what was stored with what the frame is known to hold."""
    for field in ("distance_mm", "battery_v", "battery_pct", "temp_c", "tilt"):
        if field != "temp_c" or row["fill"] is not None:  # told with a level only
            assert row[field] == pytest.approx(stated.get(field)), (field, model)
    if "distance_mm" in stated:
        fill: float | None = fill_from_distance(stated["distance_mm"], STRAIGHT)
    elif "fill_pct" in stated:
        fill = stated["fill_pct"] / 100
    else:
        fill = 1.0 if stated.get("too_close") else None
    assert row["fill"] == pytest.approx(fill)
    assert (row["model"], row["payload"].hex()) == (model, frame)
    said = decode_frame(row["model"], row["payload"], row["port"])
    assert [told(one) for one in said] == [stated]  # type: ignore[arg-type]


def test_both_network_servers_give_the_same_record(makers: Makers, outside_data: Path) -> None:
    """The Things Stack and ChirpStack tell the model themselves; time and counter name a record."""
    samples = load(outside_data, "lns_envelopes")
    ours = makers.attach(LORA, "bi-glas-0042-w", place=0)
    theirs = makers.attach(CHIRP, "24E124713C141234", place=1)
    stack = json.dumps(samples["tts_v3"]["payload"]).encode()
    assert makers.say(LORA, "v3/uwb-container@ttn/devices/bi-glas-0042-w/up", stack, stack) == []
    chirp = json.dumps(samples["chirpstack_v4"]["payload"]).encode()
    topic = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/24e124713c141234/event/up"
    assert makers.say(CHIRP, topic, chirp) == []
    stored = makers.rows(
        "SELECT d.name, l.container, l.time, l.seq, l.distance_mm, s.battery_pct, s.tilt"
        " FROM level l JOIN device d ON d.id = l.device_id"
        " JOIN status s USING (device_id, time, seq) ORDER BY d.id"
    )
    heard = datetime(2026, 1, 1, 7, 0, 1, 30_000, UTC)
    places = [one.id for one in makers.containers[:2]]
    assert stored == [
        (name, place, heard, 1287, 2116, 92, True)
        for name, place in zip((ours, theirs), places, strict=True)
    ]
    assert makers.row("SELECT count(*) FROM frame") == (2,)
    assert makers.counters.duplicates == 3  # level, status and frame of the second delivery
    assert makers.told == []


def test_trackers_and_their_servers_say_where_a_truck_is(
    makers: Makers, outside_data: Path
) -> None:
    """Teltonika's packets, Traccar and OwnTracks: metres per second, and the bytes they sent."""
    samples = load(outside_data, "vehicle_samples")
    lost, bielefeld = load(outside_data, "teltonika_codec8")["vectors"]
    imei = "352093085698206"
    expected = (
        SEVEN,
        makers.region.vehicles[0].id,
        8.554,
        52.0305,
        pytest.approx(6.39, abs=0.01),
        92,
    )

    def move(origin: Any, alias: str, model: str | None, topic: str, *payloads: bytes) -> str:
        truck = makers.attach(origin, alias, model)
        assert makers.say(origin, topic, *payloads) == []
        said = "SELECT time, vehicle, lon, lat, speed_mps, heading_deg FROM position"
        assert makers.row(said) == expected
        frames = makers.rows("SELECT model, payload FROM tracker_frame ORDER BY received_at")
        assert [payload for _, payload in frames] == list(payloads)
        makers.rows("DELETE FROM position RETURNING 1")
        makers.rows("DELETE FROM tracker_frame RETURNING 1")
        with makers.database.connect() as connection:
            devices.revoke(connection, makers.region.id, truck, at=NOON)
        return str(frames[0][0])

    phone = json.dumps(samples["owntracks"]["payload"]).encode()
    assert move(PHONES, "fleet/t17", None, "owntracks/fleet/t17", phone) == "owntracks"
    forward = json.dumps(samples["traccar_forward"]["payload"]).encode()
    assert move(FLEET, imei, None, "positions", forward) == "traccar"
    packets = [bytes.fromhex(one["hex"]) for one in (lost, bielefeld)]
    assert move(RAW, imei, "teltonika-codec8", f"fmb/{imei}", *packets) == "teltonika-codec8"
    assert makers.row("SELECT count(*) FROM status") == (1,)  # without a fix: it is there, no more


@pytest.mark.parametrize(
    ("frame", "port", "reason"),
    [
        ("01755c0367", 85, "temp_c: the frame is too short: byte 6 to 7 wanted, 5 there"),
        (EM400, 2, "port: milesight-em400-mud sends measurements on port 85, this came on 2"),
        ("0367", 85, "temp_c: the frame is too short"),
    ],
)
def test_a_broken_frame_says_what_is_missing(
    makers: Makers, frame: str, port: int, reason: str
) -> None:
    """The dead letter names the field or the port, and where the message came from."""
    makers.attach(LORA, "bin-1", "milesight-em400-mud", place=0)
    (told,) = makers.uplink("bin-1", frame, port)
    assert told.startswith(reason)
    assert makers.row("SELECT source, family FROM dead_letter") == ("lora", "things-stack-v3")
    assert makers.row("SELECT count(*) FROM frame") == (0,)


def test_what_the_registry_lacks_is_named_and_mended(makers: Makers) -> None:
    """Device, model, calibration: one after the other is added, and then nothing is lost."""
    topic, payload = uplink("bin-1", EM400, 85)
    (stranger,) = makers.say(LORA, topic, payload)
    assert stranger == "device: bin-1 at lora is not in the registry; see `binround device add`"
    name = makers.attach(LORA, "bin-1", place=0, calibration=None)
    assert replayed(makers) == Replayed(kept=1)
    assert makers.reasons()[0].startswith("model: the network server names none")
    with makers.database.connect() as connection:
        devices.revoke(connection, makers.region.id, name, at=NOON)
    makers.attach(LORA, "bin-1", "milesight-em400-mud", place=0, calibration=None)
    assert replayed(makers) == Replayed(kept=1)
    assert makers.reasons()[0].startswith(f"calibration: {name} has none; give it with")
    bell = Calibration(empty_mm=3000, full_mm=500, shape=tapered(0.6))
    with makers.database.connect() as connection:
        # Given later than the reading: the container was there before.
        calibrations.give(connection, makers.region.id, name, bell, since=datetime.now(UTC))
    assert replayed(makers) == Replayed(stored=1, rows=3)
    row = kept(makers, name)
    assert row["fill"] == pytest.approx(fill_from_distance(2116, bell), abs=1e-6)
    assert makers.reasons() == []


def test_a_source_speaks_only_for_its_own_devices(makers: Makers) -> None:
    """Neither another server nor our own broker can say anything in a device's name."""
    sensor = makers.attach(LORA, "bin-1", "milesight-em400-mud", place=0)
    other = makers.containers[1].sensor or ""
    topic, payload = uplink(other, EM400, 85)
    assert makers.say(LORA, topic, payload)[0].startswith(f"device: {other} at lora")
    own = json.dumps({"time": NOON.isoformat(), "seq": 1, "fill": 0.5}).encode()
    (forged,) = makers.say(OWN_BROKER, up_topic(makers.region.id, sensor, Kind.LEVEL), own)
    assert forged == f"device: {sensor} is not in the registry"
    elsewhere = f"application/a/device/{'0' * 16}/event/up"
    chirp = {
        "time": NOON.isoformat(),
        "deviceInfo": {"devEui": "0" * 16, "deviceProfileName": "em400-mud"},
        "fPort": 85,
        "data": "AXVcA2cBAQSCRAgFAAE=",
    }
    assert "at chirp is not in" in makers.say(CHIRP, elsewhere, json.dumps(chirp).encode())[0]
    assert makers.row("SELECT count(*) FROM level") == (0,)


def test_a_truck_and_a_sensor_are_not_mixed_up(makers: Makers) -> None:
    """A sensor's frame from a truck, and a truck's position from a sensor, are told as such."""
    makers.attach(LORA, "bin-1", "milesight-em400-mud")
    (reason,) = makers.uplink("bin-1", EM400, 85)
    assert reason == "device: truck-1 is a unit, and this is a sensor's frame"
    makers.attach(PHONES, "a/b", place=0)
    here = b'{"_type": "location", "tst": 1767250800, "lat": 52, "lon": 8.5}'
    (reason,) = makers.say(PHONES, "owntracks/a/b", here)
    assert reason == "device: a sensor sends no position"


def test_bare_frames_need_a_time_of_their_own(makers: Makers) -> None:
    """Nothing came with the bytes that could tell when; the dead letter says so."""
    makers.attach(RAW, "bin-1", "milesight-em400-mud", place=0)
    (told,) = makers.say(RAW, "yard/bin-1", bytes.fromhex(EM400))
    assert told == "time: the frame carries none, and nothing came with it that does"


def test_an_impossible_clock_is_marked_in_the_frame_too(makers: Makers) -> None:
    """Year 1970: kept, flagged, and never the newest."""
    makers.attach(LORA, "bin-1", "milesight-em400-mud", place=0)
    assert makers.uplink("bin-1", EM400, 85, at=datetime(1970, 1, 1, tzinfo=UTC)) == []
    assert makers.row("SELECT clock_suspect FROM frame") == (True,)
    assert makers.row("SELECT clock_suspect FROM level") == (True,)
    assert makers.rows("SELECT * FROM last_level") == []


def test_other_makers_neighbours_never_suffer(makers: Makers) -> None:
    """Noise among good messages costs nothing but itself."""
    makers.attach(LORA, "bin-1", "milesight-em400-mud", place=0)
    good = [uplink("bin-1", EM400, 85, counter)[1] for counter in range(20)]
    bad = [b"\xff\x00", b"{}", b"[" * 5000, b'{"end_device_ids": 7}', b""]
    mixed = [one for pair in zip(good, bad * 4, strict=True) for one in pair]
    reasons = makers.say(LORA, "v3/app/devices/bin-1/up", *mixed)
    assert len(reasons) == len(bad)
    assert all(reason.startswith("things-stack-v3: ") for reason in reasons)
    assert makers.row("SELECT count(*) FROM level") == (20,)


def test_a_simulated_citys_sensors_speak_as_real_ones(makers: Makers) -> None:
    """Their levels as EM400 frames through The Things Stack: every reading is stored, once."""
    start = makers.region.midnight(NOON.date()).timestamp()
    waste = Waste(makers.region, 1, NOON.date())
    world = Sensors(waste, 1, SensorModel(loss=0, repeat=0.2))
    seen = world.observe(start, start + 86_400)
    makers.clock.instant = NOON + timedelta(days=1)
    bell = Calibration(empty_mm=1800, full_mm=300, shape=tapered(0.6))
    for place in range(8):
        makers.attach(
            LORA, world.names[place], "milesight-em400-mud", place=place, calibration=bell
        )
    expected, sent = {}, defaultdict[str, list[bytes]](list)
    for place, time, number, fill, twice in zip(
        seen.sensor, seen.time, seen.number, seen.fill, seen.twice, strict=True
    ):
        if place < 8:
            name, at = world.names[place], datetime.fromtimestamp(time, UTC)
            topic, payload = uplink(name, em400(_distance(fill, bell)), 85, int(number), at)
            sent[topic] += [payload] * (2 if twice else 1)
            expected[name, at, int(number)] = pytest.approx(fill, abs=2e-3)
    for topic, payloads in sent.items():
        assert makers.say(LORA, topic, *payloads) == []
    stored = makers.rows(
        "SELECT name, time, seq, fill FROM level JOIN device ON device.id = device_id"
    )
    assert {(name, time, seq): fill for name, time, seq, fill in stored} == expected
    assert len(expected) == 8 * 6


def _distance(fill: float, calibration: Calibration) -> int:
    """Return the distance at which a sensor sees a fill level."""
    near, far = calibration.full_mm, calibration.empty_mm
    return min(range(near, far + 1), key=lambda mm: abs(fill_from_distance(mm, calibration) - fill))
