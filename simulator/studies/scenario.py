"""What a planner asks: which region, which weeks, which policies. One TOML file."""

import tomllib
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config.errors import FileFormatError
from config.region import Id

SHIPPED = Path(__file__).parent / "scenarios"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CalendarSpec(_Part):
    """Every site every so many days."""

    kind: Literal["calendar"]
    name: Id = "calendar"
    days: Annotated[float, Field(gt=0)] | None = None  # the service's interval when left out


class ThresholdSpec(_Part):
    """Every container whose last reading reaches a level."""

    kind: Literal["threshold"]
    name: Id = "threshold"
    level: Annotated[float, Field(gt=0, le=1)] = 0.8


class RiskPricedSpec(_Part):
    """What waiting costs against what a visit costs."""

    kind: Literal["risk-priced"]
    name: Id = "risk-priced"
    certain: Annotated[float, Field(gt=0, le=1)] = 0.99


class HorizonSpec(_Part):
    """What waiting costs against the best of the next collection days."""

    kind: Literal["horizon"]
    name: Id = "horizon"
    chances: Annotated[int, Field(ge=2, le=10)] = 3
    share: Annotated[float, Field(gt=0, le=1)] = 0.5


PolicySpec = Annotated[
    CalendarSpec | ThresholdSpec | RiskPricedSpec | HorizonSpec, Field(discriminator="kind")
]


class World(_Part):
    """How the simulated world differs from what the region declares.

    Attributes:
        fill_factor: all containers fill so many times as fast.
        overflow_eur_per_day: what a day of an overflowing container costs, instead.
    """

    fill_factor: Annotated[float, Field(gt=0)] = 1.0
    overflow_eur_per_day: Annotated[float, Field(gt=0)] | None = None


class Scenario(_Part):
    """A what-if.

    Attributes:
        service: which of the region's; the first when left out.
        containers: so many, on whole sites drawn at random; all when left out.
        vehicles: those that may be used; all when left out.
        start: first day that counts; `warm_up_weeks` before it are played and not counted.
        decides_at: when each day is planned.
        seeds: how many worlds, numbered from `first_seed`.
        effort: share of the solver's usual work; see `optimizer.solve.solve`.
        baseline: name of the policy that the others are compared with; the first when left out.
    """

    title: str
    question: str = ""
    region: str
    service: Id | None = None
    containers: Annotated[int, Field(gt=0)] | None = None
    vehicles: tuple[Id, ...] | None = None
    start: date
    weeks: Annotated[int, Field(gt=0, le=104)]
    warm_up_weeks: Annotated[int, Field(ge=0, le=52)] = 2
    decides_at: time = time(5, 30)
    seeds: Annotated[int, Field(gt=0, le=1000)] = 5
    first_seed: Annotated[int, Field(ge=0)] = 1
    effort: Annotated[float, Field(gt=0, le=10)] = 0.25
    baseline: Id | None = None
    world: World = World()
    policies: Annotated[tuple[PolicySpec, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [policy.name for policy in self.policies]
        if len(set(names)) < len(names):
            raise ValueError("two policies have one name; give each a `name` of its own")
        if self.baseline is not None and self.baseline not in names:
            raise ValueError(f"baseline {self.baseline!r} is none of the policies: {names}")
        return self

    @property
    def compared_with(self) -> str:
        """The name of the policy that the others are compared with."""
        return self.baseline or self.policies[0].name


def shipped_scenarios() -> list[str]:
    """Return the names of the scenarios that ship with binround."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_scenario(name_or_file: str) -> Scenario:
    """Read a scenario: one that ships with binround, by name, or a file.

    Raises:
        FileFormatError: it is missing or wrong; the message names the field.
    """
    path = Path(name_or_file)
    if name_or_file in shipped_scenarios():
        path = SHIPPED / f"{name_or_file}.toml"
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        known = ", ".join(shipped_scenarios())
        raise FileFormatError(
            f"{path}: {error.strerror}; give a file, or one of: {known}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        mistakes = (f"{_where(one['loc'])}: {one['msg']}" for one in error.errors())
        raise FileFormatError(f"{path}: {'; '.join(mistakes)}") from None


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "file"
