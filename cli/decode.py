"""Decode what a sensor, a tracker or their server sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from config.errors import FileFormatError, FrameError
from ingest.codecs import Refusal, codec_for
from ingest.codecs.calibration import Calibration, fill_of
from ingest.codecs.codec import first_problem
from ingest.codecs.envelopes import decode_message
from ingest.codecs.frames import decode_frame, frame_codecs
from ingest.codecs.measurement import Measurement


def command(
    source: Annotated[
        str, typer.Argument(metavar="HEX|FILE", help="The frame; with --topic, a file.")
    ],
    model: Annotated[
        str | None,
        typer.Option(help="Whose frame it is, as vendor-model; with --topic, only if not told."),
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=255, help="The LoRaWAN port.")] = None,
    topic: Annotated[
        str | None, typer.Option(help="The MQTT topic on which the file's content came.")
    ] = None,
    empty_mm: Annotated[
        int | None, typer.Option(help="Distance to the floor of the container: tells the fill.")
    ] = None,
    full_mm: Annotated[
        int, typer.Option(help="Distance to the surface of the full container.")
    ] = 0,
) -> None:
    """Decode what a sensor, a tracker or their server sent, as one line of JSON per reading.

    A frame: `binround decode --model milesight-em310-udl --port 85 01755c03824408040001`.
    A message of The Things Stack, ChirpStack, Traccar, OwnTracks or of our own contract:
    `binround decode --topic v3/app@ttn/devices/bin-7/up uplink.json`.
    """
    calibration = _calibration(empty_mm, full_mm)
    if topic is not None:
        readings = _message(topic, _content(source), model)
    elif model is not None:
        readings = _frame(model, source, port)
    else:
        raise FrameError(f"--model NAME or --topic TOPIC is missing; models: {_models()}")
    for reading, said in readings:
        if calibration and isinstance(said, Measurement):
            fill = fill_of(said, calibration)
            reading |= {} if fill is None else {"fill": round(fill, 3)}
        typer.echo(json.dumps(reading, ensure_ascii=False))


Readings = Iterator[tuple[dict[str, Any], BaseModel]]


def _frame(model: str, text: str, port: int | None) -> Readings:
    try:
        frame = bytes.fromhex(text)
    except ValueError:
        raise FrameError("HEX: give the frame as pairs of hexadecimal digits") from None
    for said in _usable(decode_frame(model, frame, port)):
        yield _plain(said), said


def _message(topic: str, payload: bytes, model: str | None) -> Readings:
    own = codec_for(topic)
    if own:
        decoded = own.decode(topic, payload)
        if isinstance(decoded, Refusal):
            raise FrameError(decoded.reason)
        for message in decoded.messages:
            yield {"device": decoded.device} | _plain(message), message
        return
    for device, time, seq, said in _usable(decode_message(topic, payload, model)):
        named = {"device": device, "time": time.isoformat().replace("+00:00", "Z"), "seq": seq}
        yield named | _plain(said), said


def _usable[T](decoded: tuple[T, ...] | Refusal) -> tuple[T, ...]:
    if isinstance(decoded, Refusal):
        raise FrameError(decoded.reason)
    return decoded


def _plain(said: BaseModel) -> dict[str, Any]:
    return said.model_dump(mode="json", exclude_none=True)


def _calibration(empty_mm: int | None, full_mm: int) -> Calibration | None:
    if empty_mm is None:
        return None
    try:
        return Calibration(empty_mm=empty_mm, full_mm=full_mm)
    except ValidationError as error:
        raise FrameError(f"--empty-mm and --full-mm: {first_problem(error)}") from None


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror}") from None


def _models() -> str:
    return ", ".join(frame_codecs())
