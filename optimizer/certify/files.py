"""Reads a plan from a file, whichever way it is written; writes one as CSV."""

import csv
import hashlib
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from config.errors import FileFormatError
from optimizer.certify.csv_file import parse_csv
from optimizer.certify.given import GivenPlan, GivenStop, GivenTour
from optimizer.certify.json_file import parse_json
from optimizer.formats.problem_json import load_json

_JSON, _CSV = (".json", ".geojson"), (".csv", ".tsv", ".txt")
_MAX_BYTES = 64_000_000  # a year of a large city as CSV is smaller


def read_given(path: Path, zone: ZoneInfo, day: date | None = None) -> GivenPlan:
    """Read a plan from a .json, .geojson or .csv file.

    Args:
        path: of the file.
        zone: in which its instants are wall-clock times.
        day: of what has no date.

    Raises:
        FileFormatError: names the file, and the line or field.
    """
    kind = path.suffix.lower()
    if kind not in (*_JSON, *_CSV):
        raise FileFormatError(
            f"{path}: what kind of plan is this? Its name ends with .csv or .json"
        )
    raw = _bytes(path)
    if kind in _JSON:
        plan = parse_json(load_json(path), path.name, zone, day)
    else:
        plan = parse_csv(_text(path, raw), path.name, day)
    if not plan.tours:
        raise FileFormatError(f"{path.name}: there is no tour in it, so nothing to judge")
    return replace(plan, digest=hashlib.sha256(raw).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FileFormatError(f"{path}: more than {_MAX_BYTES // 1_000_000} MB are no plan")
        return path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror}") from None


def _text(path: Path, raw: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileFormatError(f"{path}: is neither UTF-8 nor Windows text; save it as UTF-8")


_FACTS = ("tour", "date", "vehicle", "service", "crew", "banksman", "team")
_STOP = (
    "action", "place", "lon", "lat", "arrival", "start", "departure", "containers", "fraction",
    "kg", "litres", "reverse", "reverse_m", "side",
)  # fmt: skip


def write_csv(plan: GivenPlan) -> str:
    """Return a plan as the CSV that `parse_csv` reads back the same."""
    stops = [stop for tour in plan.tours for stop in tour.stops]
    amounts = sorted(
        {f"kg:{name}" for stop in stops for name in stop.kg_by}
        | {f"litres:{name}" for stop in stops for name in stop.litres_by}
    )
    rows = [{**_tour(tour), **_stop(stop)} for tour in plan.tours for stop in tour.stops]
    used = [
        name
        for name in (*_FACTS, *_STOP, *amounts)
        if name in ("tour", "date", "vehicle", "action", "place")
        or any(row.get(name) for row in rows)
    ]
    out = io.StringIO()
    writer = csv.DictWriter(out, used, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _tour(tour: GivenTour) -> dict[str, str]:
    return _written(
        {
            "tour": tour.name,
            "date": tour.day,
            "vehicle": tour.vehicle,
            "service": tour.service,
            "crew": tour.crew,
            "banksman": tour.banksman,
            "team": tour.team,
        }
    )


def _stop(stop: GivenStop) -> dict[str, str]:
    return _written(
        {
            "action": stop.action,
            "place": stop.place,
            "lon": stop.lon,
            "lat": stop.lat,
            "arrival": _clock(stop.arrival_s),
            "start": _clock(stop.start_s),
            "departure": _clock(stop.departure_s),
            "containers": " ".join(stop.containers),
            "fraction": stop.fraction,
            "kg": stop.kg,
            "litres": stop.litres,
            "reverse": stop.reverse,
            "reverse_m": stop.reverse_m,
            "side": stop.side,
            **{f"kg:{name}": amount for name, amount in stop.kg_by.items()},
            **{f"litres:{name}": amount for name, amount in stop.litres_by.items()},
        }
    )


def _written(facts: dict[str, object]) -> dict[str, str]:
    return {name: _cell(value) for name, value in facts.items() if value is not None}


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _clock(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
