"""`binround decode`, as somebody with a frame in hand uses it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import build
from config.errors import FileFormatError, FrameError


def run(*arguments: str) -> list[dict[str, Any]]:
    """Run the command; return what it prints, a reading per line."""
    result = CliRunner().invoke(build("decode"), ["decode", *arguments])
    if result.exception:
        raise result.exception
    return [json.loads(line) for line in result.output.splitlines()]


def test_a_frame() -> None:
    """One reading is one JSON object with the normalised keys."""
    said = run("--model", "milesight-em310-udl", "--port", "85", "01755c 03824408 040001")
    assert said == [{"distance_mm": 2116, "battery_pct": 92, "tilt": True}]


def test_history_is_a_line_each() -> None:
    """Several readings are several lines, oldest first, with their own times."""
    frame = "20ce10c755691e00 20ce00b955692000"
    assert run("--model", "milesight-em500-udl", frame) == [
        {"time": "2026-01-01T00:00:00Z", "distance_mm": 32},
        {"time": "2026-01-01T01:00:00Z", "distance_mm": 30},
    ]


def test_a_calibration_tells_the_fill() -> None:
    """With the container's two marks, the distance is also a fill level."""
    (said,) = run(
        "--model", "milesight-em500-udl", "0382e803", "--empty-mm", "1800", "--full-mm", "300"
    )
    assert said == {"distance_mm": 1000, "fill": 0.533}


def test_a_message_of_a_network_server(outside_data: Path, tmp_path: Path) -> None:
    """A file with what came on a topic: who, when, which frame, and what it says."""
    sample = json.loads((outside_data / "payloads" / "lns_envelopes.json").read_text())["tts_v3"]
    (tmp_path / "up.json").write_text(json.dumps(sample["payload"]))
    topic = "v3/uwb-container@ttn/devices/bi-glas-0042-w/up"
    (said,) = run("--topic", topic, str(tmp_path / "up.json"))
    assert said == {
        "device": "bi-glas-0042-w",
        "time": "2026-01-01T07:00:01.030000Z",
        "seq": 1287,
        "distance_mm": 2116,
        "temp_c": 25.7,
        "battery_pct": 92,
        "tilt": True,
    }


def test_a_message_of_the_contract(tmp_path: Path) -> None:
    """Our own devices' messages are read as well."""
    level = {"time": "2026-06-01T10:00:00Z", "seq": 4711, "fill": 0.62}
    (tmp_path / "level.json").write_text(json.dumps(level))
    (said,) = run("--topic", "binround/v1/town/devices/s-1/up/level", str(tmp_path / "level.json"))
    assert said == {"device": "s-1", "boot": 0} | level


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model", "acme", "00"), "model: 'acme' has no decoder; known are "),
        (("--model", "terabee-lm-xl", "05dc"), "fill_pct: the frame is too short"),
        (("--model", "terabee-lm-xl", "--port", "9", "05dc000e1000"), "port: "),
        (("--model", "terabee-lm-xl", "5dc"), "HEX: give the frame as pairs"),
        (("05dc000e1000",), "--model NAME or --topic TOPIC is missing"),
        (("--model", "elsys-elt", "00", "--empty-mm", "1", "--full-mm", "2"), "--empty-mm and"),
    ],
)
def test_what_cannot_be_decoded_says_why(arguments: tuple[str, ...], reason: str) -> None:
    """One line that says what to do next, and the exit code of a mistake in the input."""
    with pytest.raises(FrameError, match="^" + reason.replace("(", r"\(")) as raised:
        run(*arguments)
    assert raised.value.exit_code == 2
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there() -> None:
    """The file is named."""
    with pytest.raises(FileFormatError, match=r"no-such\.json: cannot be read"):
        run("--topic", "positions", "no-such.json")


def test_a_message_that_is_refused(tmp_path: Path) -> None:
    """The text is that of the dead letter, for our own contract, too."""
    (tmp_path / "bad.json").write_text("{}")
    for topic in ("positions", "binround/v1/town/devices/s-1/up/level"):
        with pytest.raises(FrameError, match="Field required"):
            run("--topic", topic, str(tmp_path / "bad.json"))
