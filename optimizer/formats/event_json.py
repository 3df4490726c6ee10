"""What happens during a day, as people and programs report it: JSON, or one word on a command line.

Vehicles, facilities and sites are named by the region's ids; spans are instants.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from config.errors import FileFormatError
from config.region import ID_PATTERN

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Instant = Annotated[AwareDatetime, Field(strict=False)]
Corner = Annotated[
    tuple[
        Annotated[float, Field(ge=-180, le=180)],
        Annotated[float, Field(ge=-90, le=90)],
    ],
    Field(strict=False, description="Longitude, latitude."),
]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class BreakdownPart(_Event):
    """A truck cannot go on today."""

    type: Literal["breakdown"]
    vehicle: Id


class ClosurePart(_Event):
    """An area that trucks may not enter or cross."""

    type: Literal["closure"]
    polygon: Annotated[tuple[Corner, ...], Field(min_length=3, max_length=500, strict=False)]
    begin: Instant | None = Field(default=None, description="Now when it is left out.")
    end: Instant | None = Field(default=None, description="The day's end when it is left out.")


class TruckFullPart(_Event):
    """A truck is full before it should be."""

    type: Literal["truck-full"]
    vehicle: Id
    fraction: Id | None = Field(default=None, description="Whose compartment; all when left out.")


class FacilityClosedPart(_Event):
    """A facility takes nothing."""

    type: Literal["facility-closed"]
    facility: Id
    begin: Instant | None = Field(default=None, description="Now when it is left out.")
    end: Instant | None = Field(default=None, description="The day's end when it is left out.")


class UrgentStopPart(_Event):
    """A site that has to be visited today after all, or is worth some euro."""

    type: Literal["urgent-stop"]
    site: Id
    containers: Annotated[tuple[Id, ...], Field(strict=False, max_length=50)] = Field(
        default=(), description="Which of the site's; all of the service when left out."
    )
    worth_eur: Annotated[float, Field(ge=0, le=1e6)] | None = Field(
        default=None, description="It has to be visited when this is left out."
    )


class DriverSwapPart(_Event):
    """Another driver takes over a truck, with a shift and breaks of their own."""

    type: Literal["driver-swap"]
    vehicle: Id
    begin: Instant | None = Field(default=None, description="Now when it is left out.")
    end: Instant = Field(description="When the new driver has to be back.")


class CancelStopPart(_Event):
    """A site that is not to be visited any more."""

    type: Literal["cancel-stop"]
    site: Id


EventPart = Annotated[
    BreakdownPart
    | ClosurePart
    | TruckFullPart
    | FacilityClosedPart
    | UrgentStopPart
    | DriverSwapPart
    | CancelStopPart,
    Field(discriminator="type"),
]
_ADAPTER: TypeAdapter[EventPart] = TypeAdapter(EventPart)
WORDS = {
    "breakdown": "vehicle",
    "truck-full": "vehicle",
    "facility-closed": "facility",
    "urgent-stop": "site",
    "cancel-stop": "site",
}


def parse_event(document: object) -> EventPart:
    """Make an event of JSON values.

    Raises:
        FileFormatError: names the field.
    """
    try:
        return _ADAPTER.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the event"
        raise FileFormatError(f"event: {where}: {first['msg']}") from None


def parse_event_text(text: str) -> EventPart:
    """Make an event of what a command line says: `breakdown:truck-3`, or JSON.

    Raises:
        FileFormatError: says what can be written.
    """
    if text.lstrip().startswith("{"):
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the event"
            raise FileFormatError(f"event: {where}: {first['msg']}") from None
    kind, _, name = text.partition(":")
    if kind not in WORDS or not name:
        known = ", ".join(f"{word}:{field.upper()}" for word, field in WORDS.items())
        raise FileFormatError(
            f"event {text!r} is none; write {known}, or JSON for closures and driver swaps"
        )
    return parse_event({"type": kind, WORDS[kind]: name})
