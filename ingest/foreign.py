"""The steps of a message that is not of our own contract: opened, its frame read, its meaning told.

What a device behind another server is called there, which model it is and how its distances are
read stand in our registry, so its frame is read only after the device is known.
"""

from datetime import datetime

from config.errors import FrameError
from config.source import Family
from ingest.codecs import Refusal
from ingest.codecs.calibration import Calibration, fill_of
from ingest.codecs.envelopes import OF_FAMILY, Report, Uplink, open_message, read_uplink
from ingest.codecs.measurement import Measurement, Movement
from ingest.messages import Level, Message, Position, Status
from ingest.parcel import Frame, KnownDevice, Parcel, Surroundings


def open_envelope(parcel: Parcel, around: Surroundings) -> Refusal | None:
    """Take a message out of what its server put around it."""
    parcel.region = around.region
    opened = open_message(OF_FAMILY[around.origin.family], parcel.topic, parcel.payload)
    if isinstance(opened, Refusal):
        return opened
    parcel.opened, parcel.sender = opened, opened.device
    return None


def reopen(
    model: str, payload: bytes, port: int | None, time: datetime, seq: int
) -> Uplink | Report | Refusal:
    """Return a frame that was kept, as `open_envelope` returned it when it came."""
    if model in Family:
        try:
            return OF_FAMILY[Family(model)].open("", payload)
        except FrameError as error:
            return Refusal(f"{model}: {error}")
    return Uplink("", None if port is None else time, seq, port, payload, ())


def read(parcel: Parcel, around: Surroundings) -> Refusal | None:
    """Read the frame by its model's codec, and keep it."""
    opened = parcel.opened
    if isinstance(opened, Report):
        parcel.reports = (opened,)
        model = around.origin.family.value
        parcel.frame = Frame(opened.time, opened.seq, model, None, parcel.payload)
    elif opened is not None:
        return _read_uplink(parcel, opened)
    return None


def _read_uplink(parcel: Parcel, uplink: Uplink) -> Refusal | None:
    told = read_uplink(uplink, parcel.device.model if parcel.device else None)
    if isinstance(told, Refusal):
        return told
    parcel.reports = told.reports
    time = uplink.time or told.reports[0].time
    parcel.frame = Frame(time, uplink.seq, told.model, uplink.port, uplink.frame)
    return None


def interpret(parcel: Parcel, around: Surroundings) -> Refusal | None:
    """Tell in our own words what a device of another maker said."""
    device = parcel.device
    if device is None:
        return Refusal("device: none")
    history = around.calibrations.get(device.id)
    messages: list[Message] = []
    for report in parcel.reports:
        calibration = history.at(report.time) if history else None
        meant = _meaning(report, device, calibration)
        if isinstance(meant, Refusal):
            return meant._replace(sender=parcel.sender)
        messages += meant
    parcel.messages = tuple(messages)
    return None


def _meaning(
    report: Report, device: KnownDevice, calibration: Calibration | None
) -> tuple[Message, ...] | Refusal:
    if isinstance(report.said, Measurement):
        if device.kind != "sensor":
            return Refusal(
                f"device: {device.name} is a {device.kind}, and this is a sensor's frame"
            )
        return _measured(report, report.said, device, calibration)
    return (_moved(report, report.said),)


def _measured(
    report: Report, said: Measurement, device: KnownDevice, calibration: Calibration | None
) -> tuple[Message, ...] | Refusal:
    """Return the level, and how the sensor is where it tells more than a level can hold."""
    fill = fill_of(said, calibration)
    if fill is None and said.distance_mm is not None:
        return Refusal(
            f"calibration: {device.name} has none; give it with "
            f"`binround device calibrate {device.name} --empty-mm`"
        )
    told: list[Message] = []
    if fill is not None:
        told.append(
            Level(
                time=report.time,
                seq=report.seq,
                fill=fill,
                distance_mm=said.distance_mm,
                temperature_c=said.temp_c,
                battery_v=said.battery_v,
            )
        )
    of_itself = said.battery_pct is not None or said.tilt is not None
    if of_itself or (not told and said.battery_v is not None):
        told.append(
            Status(
                time=report.time,
                seq=report.seq,
                battery_v=said.battery_v,
                battery_pct=said.battery_pct,
                tilt=said.tilt,
            )
        )
    return tuple(told) or Refusal(f"measurement: {said.missing or 'no level and no battery'}")


def _moved(report: Report, said: Movement) -> Message:
    """Return where a vehicle is; a tracker without a fix says no more than that it is there."""
    if said.lon is None or said.lat is None:
        return Status(time=report.time, seq=report.seq)
    return Position(
        time=report.time,
        seq=report.seq,
        lon=said.lon,
        lat=said.lat,
        speed_mps=said.speed_mps,
        heading_deg=said.heading_deg,
        accuracy_m=said.accuracy_m,
    )
