"""A plan as JSON, in the forms that binround gives out.

- `binround plan --json`: the tours of a day;
- `GET /v1/tours/{tour}`, or a list of several: JSON or GeoJSON;
- `plan.json` of `binround solve`, whose ids are those of the region.

Other planners write the first form; what it lacks for them (crew, reversing, the side of the truck)
has the names of the columns of the CSV.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import zip_longest
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import FileFormatError
from optimizer.certify import words
from optimizer.certify.given import Action, GivenPlan, GivenStop, GivenTour, named
from optimizer.model import DAY_S

Amount = Annotated[float, Field(ge=0, le=1e9)]
Moment = int | str | None  # seconds of the day, 07:30, or an instant with its zone


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class _Stop(_Part):
    kind: str = ""
    id: str | None = None
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)
    arrival: Moment = None
    start: Moment = None
    service_s: Amount | None = None
    departure: Moment = None
    containers: list[str] = []
    kg: Amount | None = None
    litres: Amount | None = None
    kg_by_fraction: dict[str, Amount] = {}
    litres_by_fraction: dict[str, Amount] = {}
    reverse: bool | None = None
    reverse_m: Amount | None = None
    side: str | None = None


class _Tour(_Part):
    vehicle: str
    day: date | None = None
    start: Moment = None
    end: Moment = None
    service: str | None = None
    crew: int | None = Field(default=None, ge=1, le=9)
    banksman: bool | None = None
    team: str | None = None
    stops: list[_Stop]


def parse_json(document: Any, source: str, zone: ZoneInfo, day: date | None = None) -> GivenPlan:
    """Read a plan.

    Args:
        document: the parsed file.
        source: its name, for messages.
        zone: in which instants are wall-clock times.
        day: of tours that do not say theirs.

    Raises:
        FileFormatError: names the file and the field.
    """
    read = []
    for where, raw in _raw_tours(document, source):
        try:
            tour = _Tour.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            raise FileFormatError(f"{source}: {where}.{path}: {first['msg']}") from None
        try:
            read.append(_tour(tour, zone, day))
        except ValueError as error:
            raise FileFormatError(f"{source}: {where}: {error}") from None
    return GivenPlan(source=source, tours=named(read))


def _raw_tours(document: Any, source: str) -> Iterator[tuple[str, Any]]:
    """Yield each tour, whatever the form, as one that has stops."""
    match document:
        case {"tours": list() as tours}:
            shared = {name: document[name] for name in ("day", "service") if name in document}
            for index, tour in enumerate(tours):
                if not isinstance(tour, dict):
                    raise FileFormatError(f"{source}: tours[{index}]: is no object")
                yield f"tours[{index}]", {**shared, **_with_stops(tour)}
        case list():
            for index, tour in enumerate(document):
                for _, raw in _raw_tours(tour, source):
                    yield f"[{index}]", raw
        case {"stop_list": list()}:
            yield "tour", _with_stops(document)
        case {"type": "FeatureCollection", "features": list() as features}:
            yield "features", _from_features(features)
        case _:
            raise FileFormatError(
                f"{source}: this is no plan that is known here; docs/certificate.md shows the forms"
            )


def _with_stops(tour: dict[str, Any]) -> dict[str, Any]:
    """Return a tour with its stops, of the API or of `plan.json` too."""
    if "stop_list" in tour:
        return {**tour, "stops": tour["stop_list"]}
    if "visits" not in tour or "stops" in tour:
        return tour
    columns = [
        tour.get(name, []) for name in ("visits", "arrival_s", "service_start_s", "departure_s")
    ]
    names = ("id", "arrival", "start", "departure")
    stops = [dict(zip(names, cells, strict=True)) for cells in zip_longest(*columns)]
    rests = [
        {"kind": "break", "arrival": rest.get("start_s"), "departure": rest.get("end_s")}
        for rest in tour.get("breaks", [])
        if isinstance(rest, dict)
    ]
    rest_of = {
        "vehicle": tour.get("vehicle"), "start": tour.get("start_s"), "end": tour.get("end_s")
    }  # fmt: skip
    return {**rest_of, "stops": [*stops, *rests]}


def _from_features(features: list[Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    stops = []
    for feature in features:
        match feature:
            case {
                "geometry": {"type": "Point", "coordinates": [lon, lat, *_]},
                "properties": dict() as stop,
            }:
                stops.append({**stop, "lon": lon, "lat": lat})
            case {"geometry": None, "properties": dict() as stop}:
                stops.append(stop)
            case {"geometry": {"type": "LineString"}, "properties": dict() as tour}:
                facts = tour
    return {**facts, "stops": stops}


def _tour(tour: _Tour, zone: ZoneInfo, day: date | None) -> GivenTour:
    on = tour.day or _day_of(tour.start, zone) or day
    if on is None:
        raise ValueError("day: is missing; give --date")
    stops = [_stop(stop, on, zone) for stop in tour.stops]
    start, end = _second(tour.start, on, zone), _second(tour.end, on, zone)
    if start is not None:
        stops.insert(0, GivenStop(Action.START, arrival_s=start, departure_s=start))
    if end is not None:
        stops.append(GivenStop(Action.END, arrival_s=end, departure_s=end))
    return GivenTour(
        name="",
        vehicle=tour.vehicle,
        day=on,
        stops=tuple(stops),
        service=tour.service,
        crew=tour.crew,
        banksman=tour.banksman,
        team=tour.team,
    )


def _stop(stop: _Stop, day: date, zone: ZoneInfo) -> GivenStop:
    action = words.action(stop.kind) if stop.kind else None
    departure = _second(stop.departure, day, zone)
    start = _second(stop.start, day, zone)
    if start is None and departure is not None and stop.service_s is not None:
        start = round(departure - stop.service_s)
    return GivenStop(
        action=action,
        place=None if action is Action.BREAK else stop.id,
        lon=stop.lon,
        lat=stop.lat,
        arrival_s=_second(stop.arrival, day, zone),
        start_s=start,
        departure_s=departure,
        containers=tuple(stop.containers),
        kg=sum(stop.kg_by_fraction.values()) if stop.kg_by_fraction else stop.kg,
        litres=sum(stop.litres_by_fraction.values()) if stop.litres_by_fraction else stop.litres,
        kg_by=stop.kg_by_fraction,
        litres_by=stop.litres_by_fraction,
        reverse=stop.reverse,
        reverse_m=stop.reverse_m,
        side=words.side(stop.side) if stop.side else None,
    )


def _day_of(moment: Moment, zone: ZoneInfo) -> date | None:
    if not isinstance(moment, str) or "T" not in moment:
        return None
    return _wall(moment, zone).date()


def _second(moment: Moment, day: date, zone: ZoneInfo) -> int | None:
    """Return a moment as seconds of the wall-clock day.

    Raises:
        ValueError: an instant has no zone, or a text is no time.
    """
    if moment is None:
        return None
    if isinstance(moment, int):
        if not 0 <= moment < 2 * DAY_S:
            raise ValueError(f"{moment}: is no second of the day, nor of the night after it")
        return moment
    if "T" not in moment:
        return words.clock(moment)
    return round((_wall(moment, zone) - datetime.combine(day, time())).total_seconds())


def _wall(moment: str, zone: ZoneInfo) -> datetime:
    instant = datetime.fromisoformat(moment)
    if instant.tzinfo is None:
        raise ValueError(f"{moment}: has no zone; write 07:30, or an instant with Z")
    return instant.astimezone(zone).replace(tzinfo=None)
