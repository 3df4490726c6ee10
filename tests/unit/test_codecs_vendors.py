"""Frames of sensors and trackers, decoded: real ones, those of the manuals, and broken ones."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.codecs import vendors
from ingest.codecs.codec import Refusal
from ingest.codecs.frames import decode_frame, frame_codecs, model_called
from ingest.codecs.measurement import Measurement, Said
from ingest.codecs.vendors import radiobridge, teltonika
from tests.conftest import ROOT

# Which models the frames in a file of outside data are of.
FILES = {
    "decentlab_lid": ("decentlab-lid",),
    "decentlab_mbx": ("decentlab-mbx",),
    "dragino_ldds45": ("dragino-ldds45", "dragino-ldds75", "dragino-ldds20"),
    "elsys_elt_ultrasonic": ("elsys-elt",),
    "milesight_em310_udl": ("milesight-em310-udl",),
    "milesight_em400_mud": ("milesight-em400-mud",),
    "milesight_em500_udl": ("milesight-em500-udl",),
    "pepperl_fuchs_wilsen_sonic_level": ("wilsen-sonic-level",),
    "terabee_lm_xl": ("terabee-lm-xl",),
}


def told(said: Said) -> dict[str, Any]:
    """Return what was said and nothing else."""
    return said.model_dump(mode="json", exclude_none=True)


def decoded(model: str, frame: str, port: int | None = None) -> list[dict[str, Any]]:
    """Decode a frame that must be readable."""
    said = decode_frame(model, bytes.fromhex(frame), port)
    assert not isinstance(said, Refusal), said.reason
    return [told(one) for one in said]


def refused(model: str, frame: str, port: int | None = None) -> str:
    """Return why a frame is refused."""
    said = decode_frame(model, bytes.fromhex(frame), port)
    assert isinstance(said, Refusal), said
    return said.reason


def load(outside_data: Path, name: str) -> dict[str, Any]:
    """Read a file of frames."""
    loaded: dict[str, Any] = json.loads((outside_data / "payloads" / f"{name}.json").read_text())
    return loaded


@pytest.mark.parametrize("name", FILES)
def test_captured_frames_decode_to_their_stated_values(outside_data: Path, name: str) -> None:
    """Every frame gives exactly the values it is known to hold, on the port it came on."""
    for vector in load(outside_data, name)["vectors"]:
        for model in FILES[name]:
            if "expect_error" in vector:
                assert vector["expect_error"] in refused(model, vector["hex"], vector["f_port"])
            else:
                assert decoded(model, vector["hex"], vector["f_port"]) == [vector["normalized"]]


def test_no_file_of_frames_is_forgotten(outside_data: Path) -> None:
    """Each file of captured frames is read by a test; these three hold no sensor's frames."""
    others = {"lns_envelopes", "teltonika_codec8", "vehicle_samples"}
    assert {path.stem for path in (outside_data / "payloads").glob("*.json")} - others == set(FILES)


def test_em400_over_nbiot_wraps_the_same_items(outside_data: Path) -> None:
    """The NB-IoT version's own frame is unpacked; a cut one is refused for its length."""
    sample = load(outside_data, "milesight_em400_mud")["nbiot_frame"]
    (said,) = decoded("milesight-em400-mud", sample["hex"])
    (stated,) = sample["decoded"]["data"]
    assert said == {
        "battery_pct": stated["battery"],
        "temp_c": stated["temperature"],
        "distance_mm": stated["distance"],
        "tilt": stated["position"] == "tilt",
    }
    assert refused("milesight-em400-mud", sample["hex"][:-2]).startswith("length: 95 bytes")


def test_teltonika_records_are_as_stated(outside_data: Path) -> None:
    """Every record of a packet is read in Teltonika's own terms, and said in ours."""
    for vector in load(outside_data, "teltonika_codec8")["vectors"]:
        packet = bytes.fromhex(vector["hex"])
        records = [record._asdict() for record in teltonika.records(packet)]
        stated = vector["records"]
        for record in stated:
            record["io"] = {int(number): value for number, value in record["io"].items()}
        assert records == stated


def test_a_tracker_says_where_it_is_in_our_units(outside_data: Path) -> None:
    """Kilometres per hour become metres per second; without satellites there is no position."""
    lost, bielefeld = load(outside_data, "teltonika_codec8")["vectors"]
    assert decoded("teltonika-codec8", bielefeld["hex"]) == [
        {
            "time": "2026-01-01T07:00:00Z",
            "lon": 8.554,
            "lat": 52.0305,
            "speed_mps": 6.39,
            "heading_deg": 92.0,
            "altitude_m": 118.0,
            "satellites": 14,
            "ignition": True,
            "inputs": {"239": 1, "240": 1},
        }
    ]
    (said,) = decoded("teltonika-codec8", lost["hex"])
    assert said["missing"] == "position: no fix (0 satellites)"
    assert "lon" not in said


# From Teltonika's wiki, "Teltonika Data Sending Protocols", the example of Codec 8 Extended.
CODEC_8_EXTENDED = (
    "000000000000004A8E010000016B412CEE000100000000000000000000000000000000010005000100010100010011"
    "001D00010010015E2C880002000B000000003544C87A000E000000001DD7E06A00000100002994"
)


def test_codec_8_extended_has_wider_numbers_and_more_of_them() -> None:
    """Inputs are numbered with two bytes, and values of eight bytes are whole."""
    (record,) = teltonika.records(bytes.fromhex(CODEC_8_EXTENDED))
    assert record.timestamp_ms == 1_560_166_592_000
    assert record.io == {1: 1, 17: 29, 16: 22_949_000, 11: 893_700_218, 14: 500_686_954}


def test_a_packet_with_a_flipped_bit_is_refused() -> None:
    """The checksum guards what TCP and flash memory may spoil."""
    packet = bytearray.fromhex(CODEC_8_EXTENDED)
    packet[30] ^= 1
    assert refused("teltonika-codec8e", packet.hex()) == "checksum: wrong"


# model, frame, what it says, where the frame is from
MANUALS: list[tuple[str, str, list[dict[str, Any]], str]] = [
    (
        "milesight-em400-mud",
        "017564 0367f800 04820101 050000",
        [{"battery_pct": 100, "temp_c": 24.8, "distance_mm": 257, "tilt": False}],
        "EM400-MUD user guide, Uplink Data, periodic report",
    ),
    (
        "milesight-em400-mud",
        "8482330701",
        [{"distance_mm": 1843}],
        "EM400-MUD user guide, Uplink Data, distance threshold",
    ),
    (
        "milesight-em400-mud",
        "8367220101",
        [{"temp_c": 29.0}],
        "EM400-MUD user guide, Uplink Data, temperature threshold",
    ),
    (
        "milesight-em400-mud",
        "8367e80001 8482410601",
        [{"temp_c": 23.2, "distance_mm": 1601}],
        "SensorDecoders, em400-mud/README.md",
    ),
    (
        "milesight-em400-mud",
        "017564 0688FFFFFFFFFFFFFFFF20",
        [{"battery_pct": 100}],
        "EM400-MUD user guide, NB-IoT, location unknown (the battery is of its other example)",
    ),
    (
        "milesight-em400-mud",
        "06889cff080720d7750122",
        [{"lon": 118.030236, "lat": 24.5}],
        "EM400-MUD user guide, NB-IoT: longitude 9cff0807 as there, a latitude of our own",
    ),
    (
        "milesight-em500-udl",
        "017564 03821e00",
        [{"battery_pct": 100, "distance_mm": 30}],
        "SensorDecoders, em500-udl/README.md",
    ),
    (
        "decentlab-mbx",
        "02012f000304d200010bb1",
        [{"distance_mm": 1234, "n_valid": 1, "battery_v": 2.993}],
        "DL-MBX data sheet; lorawan-devices, dl-mbx-codec.yaml, example 1",
    ),
    (
        "dragino-ldds75",
        "0b450b05000105 01",
        [{"battery_v": 2.885, "distance_mm": 2821, "temp_c": 26.1}],
        "LDDS75 user manual: battery 0x0B45, distance 0x0B05, temperature 0x0105, each as there",
    ),
    (
        "dragino-ldds20",
        "0b450b0500ff3f01",
        [{"battery_v": 2.885, "distance_mm": 2821, "temp_c": -19.3}],
        "LDDS20 user manual: the same frame, temperature 0xFF3F",
    ),
    (
        "wilsen-sonic-level",
        "040B010021 030B0664 06020141C8947D 03510126 06500102F4006F 0650020081336D",
        [
            {
                "distance_mm": 330,
                "fill_pct": 100,
                "temp_c": 25.07,
                "battery_v": 3.8,
                "lat": 49.545327,
                "lon": 8.467309,
            }
        ],
        "lorawan-devices, wilsen-codec.yaml, payload 2 in centimetres (there 25.1 degrees)",
    ),
    (
        "wilsen-sonic-level",
        "102A253438303030303030363330363832 04310102C0 043102 0000 06310300000173 03510124",
        [{"battery_v": 3.6}],
        "lorawan-devices, wilsen-codec.yaml, payload 3: serial number, counters and the battery",
    ),
    (
        "radiobridge-rbs306",
        "101003 20c9",
        [{"distance_mm": 8393}],
        "Radio Bridge, How do I decode an Ultrasonic Level Sensor event",
    ),
    (
        "radiobridge-rbs306",
        "10 01 00 00 29",
        [{"battery_v": 2.9}],
        "MultiTech RBS301 guide, supervisory message: 0x29 is 2.9 V",
    ),
]


@pytest.mark.parametrize(("model", "frame", "says", "source"), MANUALS)
def test_frames_of_the_manuals(
    model: str, frame: str, says: list[dict[str, Any]], source: str
) -> None:
    """What the vendor's manual says about its own example is what we say."""
    assert decoded(model, frame) == says, source


# The items of EM410-RDL as its table in SensorDecoders, em410-rdl/README.md, lays them out; that
# page shows no whole frame, so these are put together from it.
@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (
            "01755c 0367eb00 0482d204 050001",
            {"battery_pct": 92, "temp_c": 23.5, "distance_mm": 1234, "tilt": True},
        ),
        ("9482d204640002", {"distance_mm": 1234}),
        ("b482640001", {"too_close": True}),
        ("b482d20400", {"distance_mm": 1234}),
        ("01755c b482fdff02", {"battery_pct": 92, "missing": "distance_mm: no target"}),
        ("01755c b482ffff03", {"battery_pct": 92, "missing": "distance_mm: sensor exception"}),
    ],
)
def test_radar(frame: str, says: dict[str, Any]) -> None:
    """The radar tells apart a surface too close, no surface, and a broken sensor."""
    (said,) = decoded("milesight-em410-rdl", frame)
    if "missing" in says:
        assert said.pop("missing").startswith(says.pop("missing"))
    assert said == says


@pytest.mark.parametrize(
    ("model", "items", "temperature"),
    [
        ("milesight-em500-udl", "20ce 10c75569 1e00  20ce 00b95569 2000", []),
        ("milesight-em410-rdl", "20ce 10c75569 1e00  20ce 00b95569 2000", []),
        (
            "milesight-em410-rdl",
            "20ce 10c75569 1e00 eb00 0000 01  20ce 00b95569 2000 e100 0000 00",
            [22.5, 23.5],
        ),
        (  # 0.5 degrees look like an item of tilt
            "milesight-em410-rdl",
            "20ce 10c75569 1e00 0500 0000 01  20ce 00b95569 2000 f6ff 0000 00",
            [-1.0, 0.5],
        ),
    ],
)
def test_history_keeps_its_own_times(model: str, items: str, temperature: list[float]) -> None:
    """A frame of history gives a reading for each instant, oldest first, and then the present.

    The radar's history has 6 or 11 bytes, as its firmware is; both are read.
    """
    *past, now = decoded(model, items + "01755c")
    assert now == {"battery_pct": 92}
    assert [(one["time"], one["distance_mm"]) for one in past] == [
        ("2026-01-01T00:00:00Z", 32),
        ("2026-01-01T01:00:00Z", 30),
    ]
    assert [one["temp_c"] for one in past if "temp_c" in one] == temperature


@pytest.mark.parametrize(
    ("model", "frame", "missing", "rest"),
    [
        ("dragino-ldds45", "0d3b000000000001", "distance_mm: no ultrasonic sensor", "battery_v"),
        ("dragino-ldds75", "0d3b001400000001", "distance_mm: invalid reading", "battery_v"),
        ("terabee-lm-xl", "0001000e1000", "distance_mm: invalid reading", "battery_v"),
        ("terabee-lm-xl", "05dcff0e1000", "fill_pct: the sensor reports", "distance_mm"),
        ("terabee-lm-xl", "05dc00000004", "battery_v: the sensor could not", "distance_mm"),
        ("decentlab-mbx", "02012f0003ffff00000bb1", "distance_mm: no valid sample", "battery_v"),
        ("milesight-em400-mud", "01755c0482fdff", "distance_mm: no target", "battery_pct"),
        ("milesight-em310-udl", "0175ff03824408", "battery_pct: ", "distance_mm"),
        ("wilsen-sonic-level", "06020 17fc00000 03510122", "temp_c: ", "battery_v"),
        ("elsys-elt", "070e10aa00", "type 0xaa: not known", "battery_v"),
        ("milesight-em310-udl", "01755c aabb00", "item aabb: not known", "battery_pct"),
    ],
)
def test_a_value_that_is_none_is_named_and_the_rest_counts(
    model: str, frame: str, missing: str, rest: str
) -> None:
    """A vendor's code for "no reading" never becomes a number, and costs nothing but itself."""
    (said,) = decoded(model, frame.replace(" ", ""))
    assert said["missing"].startswith(missing)
    assert missing.split(":")[0] not in said
    assert rest in said


@pytest.mark.parametrize(
    ("model", "frame", "port", "reason"),
    [
        ("acme-sonar", "00", None, "model: 'acme-sonar' has no decoder; known are decentlab-lid, "),
        ("milesight-em310-udl", "01755c", 12, "port: milesight-em310-udl sends measurements on"),
        ("dragino-ldds45", "0d3b0aef00000001", 0, "port: dragino-ldds45 sends measurements on"),
        ("terabee-lm-xl", "", 1, "frame: 0 bytes, 1 to 4096 are taken"),
        ("terabee-lm-xl", "05dc00", 1, "battery_v: the frame is too short"),
        ("terabee-lm-xl", "05dc000e100000", 1, "frame: 1 bytes too long"),
        ("decentlab-mbx", "01012f00020bb1", 1, "protocol version: 1 is not known, 2 is"),
        ("milesight-em400-mud", "0482fdff", 85, "distance_mm: no target in range (0xfffd)"),
        ("milesight-em400-mud", "ff0bff ff0101", 85, "measurement: none in this frame"),
        ("radiobridge-rbs306", "1002 00", None, "measurement: none in this frame"),
        ("teltonika-codec8", "00000001", None, "preamble: not four zero bytes"),
    ],
)
def test_what_cannot_be_used_says_what_is_missing(
    model: str, frame: str, port: int | None, reason: str
) -> None:
    """The text of the dead letter names the model, port or value that is not there."""
    assert refused(model, frame, port).startswith(reason)


WHOLE = [(model, frame) for model, frame, _, _ in MANUALS] + [
    ("milesight-em310-udl", "01755c03824408040001"),
    ("milesight-em410-rdl", "01755c0367eb000482d204050001"),
    ("terabee-lm-xl", "05dc000e1000"),
    ("decentlab-lid", "0211c90003119b117611bc119e118a119411a811a81194006401990abd"),
    ("elsys-elt", "0100e2022903012705070e100e04d2"),
    ("wilsen-sonic-level", "040b010031030b065d06020141a6666603510122"),
    ("teltonika-codec8e", CODEC_8_EXTENDED),
]


@pytest.mark.parametrize(("model", "frame"), WHOLE)
def test_a_truncated_frame_never_gives_a_wrong_value(model: str, frame: str) -> None:
    """Cut anywhere, a frame is refused by name, or gives a part of what the whole one says."""
    whole = bytes.fromhex(frame)
    (full,) = decoded(model, frame)
    for length in range(len(whole)):
        said = decode_frame(model, whole[:length])
        if isinstance(said, Refusal):
            assert ":" in said.reason
        else:
            assert told(said[0]).items() <= full.items()


def test_every_model_is_tested_with_a_whole_frame() -> None:
    """A new model without a frame that is known to be right does not pass."""
    tested = {model for model, _ in WHOLE} | {
        model for models in FILES.values() for model in models
    }
    assert set(frame_codecs()) - {"teltonika-codec8"} <= tested


def test_the_page_names_every_model() -> None:
    """What can be decoded is documented, and the documented decoder is the real one."""
    page = (ROOT / "docs" / "adding-a-sensor.md").read_text()
    assert all(f"`{model}`" in page for model in frame_codecs())
    code = page.split("```python\n")[1].split("```")[0]
    assert code in Path(radiobridge.__file__).read_text()


@given(st.sampled_from(sorted(frame_codecs())), st.binary(max_size=120))
@example("wilsen-sonic-level", bytes.fromhex("0602017fc00000"))  # a temperature that is no number
@example("milesight-em410-rdl", bytes.fromhex("20ceffffffffffff"))
def test_no_bytes_raise(model: str, frame: bytes) -> None:
    """Whatever arrives, there is an answer: values that can be, or a reason in one line."""
    said = decode_frame(model, frame)
    if isinstance(said, Refusal):
        assert said.reason
        assert not said.reason.startswith("decoder:")
        assert "\n" not in said.reason
    else:
        assert all(json.loads(one.model_dump_json()) for one in said)


@given(st.integers(0, 0x7FFF), st.integers(0, 100), st.integers(-400, 850), st.booleans())
def test_em400_round_trip(distance: int, battery: int, tenths: int, tilt: bool) -> None:
    """What the sensor packs is what comes out, over its whole range."""
    frame = (
        bytes((0x01, 0x75, battery, 0x03, 0x67))
        + tenths.to_bytes(2, "little", signed=True)
        + b"\x04\x82"
        + distance.to_bytes(2, "little")
        + bytes((0x05, 0x00, tilt))
    )
    (said,) = decoded("milesight-em400-mud", frame.hex())
    assert said == {
        "distance_mm": distance,
        "battery_pct": battery,
        "temp_c": tenths / 10,
        "tilt": tilt,
    }


@given(st.integers(0, 0xFFFF), st.integers(1, 0xFFFF), st.integers(0, 0xFFFF))
def test_decentlab_round_trip(distance: int, samples: int, millivolts: int) -> None:
    """The same for a big-endian frame with a mask of sensors."""
    words = (word.to_bytes(2, "big") for word in (distance, samples, millivolts))
    (said,) = decoded("decentlab-mbx", "02012f0003" + b"".join(words).hex())
    assert said["distance_mm"] == distance
    assert said["n_valid"] == samples
    assert said["battery_v"] == millivolts / 1000


@pytest.mark.parametrize(
    ("names", "model"),
    [
        (("milesight-iot-em400-mud", "em400-mud"), "milesight-em400-mud"),
        (("EM400-MUD",), "milesight-em400-mud"),
        (("dl-mbx",), "decentlab-mbx"),
        (("lora-lm-xl",), "terabee-lm-xl"),
        (("", "none", "ldds75"), "dragino-ldds75"),
        (("Level",), None),
        (("XL",), None),
        (("mud",), None),
        (("udl",), None),
        ((), None),
    ],
)
def test_a_model_is_found_by_what_others_call_it(names: tuple[str, ...], model: str | None) -> None:
    """A network server's name counts when it means one model; a part of a name means none."""
    assert model_called(names) == model


ACME = """
from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

def read(frame):
    draft = Draft(Measurement)
    draft.set("distance_mm", Cursor(frame, "big").unsigned(2, "distance_mm"))
    return draft.found()

CODECS = (
    FrameCodec("acme-sonar", (7,), read),
    FrameCodec("acme-buggy", (7,), lambda frame: frame[99]),
)
"""


def test_a_new_vendor_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module among the vendors takes part at once; what it does wrong costs its frames only."""
    (tmp_path / "acme.py").write_text(ACME)
    monkeypatch.setattr(vendors, "__path__", [*vendors.__path__, str(tmp_path)])
    frame_codecs.cache_clear()
    try:
        assert decoded("acme-sonar", "01f4", 7) == [{"distance_mm": 500}]
        assert refused("acme-sonar", "01f4", 8).startswith("port: ")
        assert refused("acme-sonar", "01") == (
            "distance_mm: the frame is too short: byte 1 to 2 wanted, 1 there"
        )
        assert refused("acme-buggy", "01").startswith("decoder: acme-buggy failed with IndexError")
    finally:
        sys.modules.pop(f"{vendors.__name__}.acme", None)
        vars(vendors).pop("acme", None)
        frame_codecs.cache_clear()


def test_values_are_frozen() -> None:
    """A measurement cannot be changed on its way."""
    with pytest.raises(ValueError, match="frozen"):
        Measurement(distance_mm=1).distance_mm = 2  # type: ignore[misc]
