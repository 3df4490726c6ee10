"""A `Problem` as a JSON file; `docs/plan-json.md` describes it for people."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import FileFormatError, ProblemError
from optimizer import model
from optimizer.validation import LARGEST

Window = Annotated[list[int], Field(min_length=2, max_length=2)]
Amounts = dict[str, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class VisitPart(_Part):
    """A visit; amounts are named by fraction, trucks by id."""

    id: str
    location: int
    kg: Amounts = {}
    litres: Amounts = {}
    service_s: int = 0
    windows: list[Window] = []
    prize_eur: float | None = None
    trucks: list[str] | None = None
    lifts: int = 1


class QueuePart(_Part):
    """The wait of who comes from a time on."""

    from_s: int
    wait_s: int


class FacilityPart(_Part):
    """A facility; `accepts` names fractions."""

    id: str
    location: int
    accepts: list[str]
    unload_s: int = 0
    windows: list[Window] = []
    queue: list[QueuePart] = []


class CompartmentPart(_Part):
    """A compartment; `fractions` names them."""

    fractions: list[str]
    capacity_kg: float
    capacity_l: float


class BreakPart(_Part):
    """A break that is owed."""

    rule: str
    duration_s: int
    earliest_start_s: int
    latest_start_s: int
    due_after_s: int = 0
    resets_driving: bool = True


class EnergyPart(_Part):
    """What an electric truck has, and needs."""

    charge_kwh: float
    kwh_per_km: float
    kwh_per_lift: float = 0.0
    reserve_kwh: float = 0.0


class UnderwayPart(_Part):
    """What a truck on its tour has done; amounts on board are named by fraction."""

    kg: Amounts = {}
    litres: Amounts = {}
    started_s: int
    driven_s: int = 0
    driven_since_break_s: int = 0
    stops: int = 0
    kg_today: float = 0.0
    litres_today: float = 0.0
    used_kwh: float = 0.0


class TruckPart(_Part):
    """A truck."""

    id: str
    start: int
    end: int
    shift: Window
    compartments: list[CompartmentPart]
    payload_kg: float
    breaks: list[BreakPart] = []
    max_stops: int | None = None
    max_kg: float | None = None
    max_litres: float | None = None
    max_driving_s: int | None = None
    max_driving_between_breaks_s: int | None = None
    driving_rule: str = ""
    fixed_eur: float = 0.0
    eur_per_km: float = 0.0
    eur_per_h: float = 0.0
    break_options: list[list[BreakPart]] = []
    latest_start_s: int | None = None
    max_tour_s: int | None = None
    overtime_after_s: int | None = None
    overtime_eur_per_h: float = 0.0
    overnight_load_allowed: bool = False
    energy: EnergyPart | None = None
    underway: UnderwayPart | None = None


class ProblemFile(_Part):
    """The whole file."""

    name: str = ""
    fractions: list[str]
    visits: list[VisitPart]
    facilities: list[FacilityPart]
    trucks: list[TruckPart]
    duration_s: list[list[int]]
    distance_m: list[list[float]]
    balance_eur_per_h: float = 0.0


def read_problem_json(path: Path, vehicles: int | None = None) -> model.Problem:
    """Read a problem.

    Args:
        path: the file.
        vehicles: use only so many of its trucks, the first ones.

    Raises:
        FileFormatError: names the file and the line or the field.
    """
    return parse_problem(load_json(path), str(path), vehicles)


def parse_problem(document: Any, source: str, vehicles: int | None = None) -> model.Problem:
    """Make a problem of a JSON document.

    Args:
        document: what JSON holds.
        source: where it comes from, for messages.
        vehicles: use only so many of its trucks, the first ones.

    Raises:
        FileFormatError: names the source and the field.
    """
    try:
        file = ProblemFile.model_validate(document)
        return _problem(file, vehicles)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = field_name(first["loc"])
        raise FileFormatError(f"{source}: {where}: {first['msg']}") from None
    except ProblemError as error:
        raise FileFormatError(f"{source}: {error}") from None


def problem_document(problem: model.Problem) -> dict[str, Any]:
    """Return a problem as a JSON document; parsing it gives an equal one."""
    return _file(problem).model_dump(mode="json", exclude_defaults=True)


def write_problem_json(path: Path, problem: model.Problem) -> None:
    """Write a problem; reading it gives an equal one."""
    text = json.dumps(problem_document(problem), ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def load_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        FileFormatError: names the line at which it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise FileFormatError(f"{path}:{error.lineno}: is no JSON: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise FileFormatError(f"{path}: is no JSON: {error}") from None


def field_name(location: tuple[int | str, ...]) -> str:
    """Return a pydantic location as people write it: visits[3].service_s."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".") or "the file"


def _problem(file: ProblemFile, vehicles: int | None) -> model.Problem:
    fraction = {name: index for index, name in enumerate(file.fractions)}
    parts = file.trucks if vehicles is None else file.trucks[:vehicles]
    truck = {part.id: index for index, part in enumerate(parts)}
    known = {part.id for part in file.trucks}
    visits = []
    for index, visit in enumerate(file.visits):
        at = f"visits[{index}]"
        may = None
        if visit.trucks is not None:
            _all_known(f"{at}.trucks", visit.trucks, known)
            may = frozenset(truck[name] for name in visit.trucks if name in truck)
        visits.append(
            model.Visit(
                visit.id,
                visit.location,
                _amounts(f"{at}.kg", visit.kg, fraction),
                _amounts(f"{at}.litres", visit.litres, fraction),
                visit.service_s,
                _windows(visit.windows),
                visit.prize_eur,
                may,
                visit.lifts,
            )
        )
    facilities = tuple(
        model.Facility(
            part.id,
            part.location,
            _fractions(f"facilities[{index}].accepts", part.accepts, fraction),
            part.unload_s,
            _windows(part.windows),
            tuple(model.QueueSpan(span.from_s, span.wait_s) for span in part.queue),
        )
        for index, part in enumerate(file.facilities)
    )
    trucks = tuple(_truck(f"trucks[{i}]", part, fraction) for i, part in enumerate(parts))
    return model.Problem(
        tuple(file.fractions),
        tuple(visits),
        facilities,
        trucks,
        _matrix("duration_s", file.duration_s).astype(np.int64),
        _matrix("distance_m", file.distance_m),
        file.name,
        balance_eur_per_h=file.balance_eur_per_h,
    )


def _truck(at: str, part: TruckPart, fraction: dict[str, int]) -> model.Truck:
    compartments = tuple(
        model.Compartment(
            _fractions(f"{at}.compartments[{i}].fractions", body.fractions, fraction),
            body.capacity_kg,
            body.capacity_l,
        )
        for i, body in enumerate(part.compartments)
    )
    plain = part.model_dump(
        exclude={"shift", "compartments", "breaks", "break_options", "energy", "underway"}
    )
    energy = part.energy
    return model.Truck(
        **plain,
        shift=model.TimeWindow(*part.shift),
        compartments=compartments,
        breaks=_breaks(part.breaks),
        break_options=tuple(_breaks(chain) for chain in part.break_options),
        energy=None if energy is None else model.Energy(**energy.model_dump()),
        underway=_underway(f"{at}.underway", part.underway, fraction),
    )


def _breaks(chain: list[BreakPart]) -> tuple[model.BreakRule, ...]:
    return tuple(model.BreakRule(**rule.model_dump()) for rule in chain)


def _underway(
    at: str, part: UnderwayPart | None, fraction: dict[str, int]
) -> model.Underway | None:
    if part is None:
        return None
    return model.Underway(
        **part.model_dump(exclude={"kg", "litres"}),
        kg=_amounts(f"{at}.kg", part.kg, fraction),
        litres=_amounts(f"{at}.litres", part.litres, fraction),
    )


def _matrix(name: str, rows: list[list[float]] | list[list[int]]) -> Any:
    if any(len(row) != len(rows) for row in rows):
        raise ProblemError(name, f"must be square: {len(rows)} rows of {len(rows)} values")
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(rows))
    if values.size and np.abs(values).max() > LARGEST:
        raise ProblemError(name, "holds a value that is far too large")
    return values


def _windows(windows: list[list[int]]) -> tuple[model.TimeWindow, ...]:
    return tuple(model.TimeWindow(*window) for window in windows)


def _amounts(at: str, amounts: Amounts, fraction: dict[str, int]) -> tuple[float, ...]:
    _all_known(at, amounts, fraction)
    return tuple(float(amounts.get(name, 0.0)) for name in fraction)


def _fractions(at: str, names: list[str], fraction: dict[str, int]) -> frozenset[int]:
    _all_known(at, names, fraction)
    return frozenset(fraction[name] for name in names)


def _all_known(at: str, names: Any, known: Any) -> None:
    for name in names:
        if name not in known:
            raise ProblemError(at, f"{name!r} is not declared in this file")


def _file(problem: model.Problem) -> ProblemFile:
    names = problem.fractions
    duration_s, distance_m = problem.matrices()

    def amounts(values: tuple[float, ...]) -> Amounts:
        return {name: value for name, value in zip(names, values, strict=True) if value}

    def windows(spans: tuple[model.TimeWindow, ...]) -> list[list[int]]:
        return [[span.earliest_s, span.latest_s] for span in spans]

    def truck(one: model.Truck) -> dict[str, Any]:
        bodies = [
            {**asdict(body), "fractions": [names[f] for f in sorted(body.fractions)]}
            for body in one.compartments
        ]
        shift = [one.shift.earliest_s, one.shift.latest_s]
        plain = asdict(one)
        chains = {
            "breaks": list(plain["breaks"]),
            "break_options": [list(chain) for chain in plain["break_options"]],
        }
        if one.underway is not None:
            done = one.underway
            plain["underway"] |= {"kg": amounts(done.kg), "litres": amounts(done.litres)}
        return {**plain, **chains, "shift": shift, "compartments": bodies}

    return ProblemFile.model_validate(
        {
            "name": problem.name,
            "fractions": list(names),
            "visits": [
                {
                    **asdict(visit),
                    "kg": amounts(visit.kg),
                    "litres": amounts(visit.litres),
                    "windows": windows(visit.windows),
                    "trucks": None
                    if visit.trucks is None
                    else [problem.trucks[index].id for index in sorted(visit.trucks)],
                }
                for visit in problem.visits
            ],
            "facilities": [
                {
                    **asdict(facility),
                    "accepts": [names[f] for f in sorted(facility.accepts)],
                    "windows": windows(facility.windows),
                    "queue": [asdict(span) for span in facility.queue],
                }
                for facility in problem.facilities
            ],
            "trucks": [truck(one) for one in problem.trucks],
            "duration_s": duration_s.tolist(),
            "distance_m": distance_m.tolist(),
            "balance_eur_per_h": problem.balance_eur_per_h,
        }
    )
