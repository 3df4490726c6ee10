"""From a distance to a fill level: what is measured is the air above the waste.

Two distances per container are known: to the floor when it is empty, and to the height at which
it counts as full. Between them the share of the height is not the share of the volume unless the
walls are straight, so a calibration has a shape: how much of the volume lies below each height.
"""

from bisect import bisect_right
from datetime import datetime
from itertools import pairwise
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingest.codecs.measurement import Measurement

FULLEST = 1.15  # above the full mark waste is heaped up; how high says little

Shape = tuple[tuple[float, float], ...]
STRAIGHT: Shape = ((0.0, 0.0), (1.0, 1.0))


def tapered(top_to_bottom: float, steps: int = 10) -> Shape:
    """Return the shape of a container whose walls lean.

    Args:
        top_to_bottom: width at the full mark over width at the floor: 0.6 for a bell-shaped
            glass container, 1.2 for a wheeled bin.
        steps: into how many pieces the height is cut.
    """
    grows = top_to_bottom - 1
    if abs(grows) < 1e-9:
        return STRAIGHT
    whole = top_to_bottom**3 - 1
    heights = (step / steps for step in range(steps + 1))
    return tuple((height, ((1 + grows * height) ** 3 - 1) / whole) for height in heights)


SHAPES: dict[str, Shape] = {
    "straight": STRAIGHT,
    "bell": tapered(0.6),  # a glass container
    "bin": tapered(1.2),  # a wheeled bin
    "underground": STRAIGHT,  # a shaft
}
"""Shapes by name, for those who have no drawing at hand."""


class Calibration(BaseModel):
    """How one sensor on one container is to be read.

    Attributes:
        empty_mm: distance to the floor of the empty container.
        full_mm: distance to the surface when it counts as full.
        shape: points (share of the height, share of the volume) from (0, 0) to (1, 1), rising.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    empty_mm: Annotated[int, Field(gt=0, le=100_000)]
    full_mm: Annotated[int, Field(ge=0, le=100_000)] = 0
    shape: Shape = STRAIGHT

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if self.full_mm >= self.empty_mm:
            raise ValueError("full_mm must be less than empty_mm: a full container is nearer")
        rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(self.shape))
        ends = [share for point in (self.shape[:1] + self.shape[1:][-1:]) for share in point]
        if not rising or [round(share, 9) for share in ends] != [0, 0, 1, 1]:
            raise ValueError("shape must rise from (0, 0) to (1, 1)")
        return self


class History(NamedTuple):
    """A sensor's calibrations, oldest first.

    Attributes:
        since: from when on each counts.
        calibrations: one for each of these instants, at least one.
    """

    since: tuple[datetime, ...]
    calibrations: tuple[Calibration, ...]

    def at(self, instant: datetime) -> Calibration:
        """Return the one in force; the container was there before it was measured."""
        return self.calibrations[max(bisect_right(self.since, instant) - 1, 0)]


def shape_called(name: str) -> Shape:
    """Return a shape by its name, or from its points `0:0,0.5:0.7,1:1`.

    Raises:
        ValueError: it is neither; whether the points make sense is Calibration's business.
    """
    if name in SHAPES:
        return SHAPES[name]
    try:
        points = [tuple(map(float, point.split(":"))) for point in name.split(",")]
        return tuple((height, share) for height, share in points)
    except ValueError:
        raise ValueError(
            f"shape: {name!r} is none of {', '.join(SHAPES)} and no points like 0:0,0.5:0.7,1:1"
        ) from None


def name_of(shape: Shape) -> str:
    """Return a shape's name, or its points."""
    known = (name for name, points in SHAPES.items() if _same(points, shape))
    return next(known, ",".join(f"{height:g}:{share:g}" for height, share in shape))


def _same(one: Shape, other: Shape) -> bool:
    return len(one) == len(other) and all(
        abs(a - b) < 1e-9
        for p, q in zip(one, other, strict=True)
        for a, b in zip(p, q, strict=True)
    )


def fill_from_distance(distance_mm: float, calibration: Calibration) -> float:
    """Return the fill level that a distance means, from 0 to `FULLEST`.

    A distance beyond the floor is an empty container; one nearer than the full mark counts on
    with the slope that the container has there.
    """
    span = calibration.empty_mm - calibration.full_mm
    height = (calibration.empty_mm - distance_mm) / span
    return min(max(_volume(height, calibration.shape), 0.0), FULLEST)


def _volume(height: float, shape: Shape) -> float:
    below, above = next(
        ((a, b) for a, b in pairwise(shape) if height <= b[0]), (shape[-2], shape[-1])
    )
    slope = (above[1] - below[1]) / (above[0] - below[0])
    return below[1] + slope * (height - below[0])


def fill_of(measurement: Measurement, calibration: Calibration | None) -> float | None:
    """Return the fill level that a measurement means; None if it means none.

    Our calibration counts more than the sensor's own percentage, which was set by hand once and
    knows no shape. A surface in the blind zone is at the full mark, one out of reach is empty.
    """
    if calibration is not None and measurement.distance_mm is not None:
        return fill_from_distance(measurement.distance_mm, calibration)
    if measurement.fill_pct is not None:
        return measurement.fill_pct / 100
    if measurement.too_close:
        return 1.0
    return 0.0 if measurement.too_far else None


def corrected(
    calibration: Calibration, after_emptying_mm: list[int], *, enough: int = 5
) -> Calibration:
    """Return a calibration whose floor is where it was seen to be.

    Args:
        calibration: as set up.
        after_emptying_mm: the first distances after emptyings. Some waste stays, some liftings
            did not happen, so the floor is a high one among them, not the mean: the second
            farthest of every ten.
        enough: with fewer the calibration stays as it is.
    """
    if len(after_emptying_mm) < enough:
        return calibration
    floor = sorted(after_emptying_mm)[int(0.9 * (len(after_emptying_mm) - 1))]
    if floor <= calibration.full_mm:
        return calibration
    return calibration.model_copy(update={"empty_mm": floor})
