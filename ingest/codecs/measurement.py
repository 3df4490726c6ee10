"""What devices of other makers say, in our units: a container measured, a vehicle somewhere.

Vendors' own units and codes end in the vendor's file; from here on there are millimetres, volts,
degrees Celsius, metres per second.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import FrameError
from ingest.messages import Instant, Lat, Lon


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    time: Instant | None = None
    missing: str | None = None


class Measurement(_Said):
    """What a sensor measured at one instant. What it did not tell is None.

    Attributes:
        time: by the sensor's clock; None in a frame that carries no time, which then is the time
            at which the network received it.
        distance_mm: from the sensor down to the surface.
        fill_pct: the sensor's own idea of the fill level, by its own settings.
        too_close, too_far: no distance, because the surface is in the blind zone or out of reach.
        n_valid: from how many samples the distance was computed.
        temp_c: in the container.
        battery_v, battery_pct: whichever the vendor tells.
        tilt: whether the sensor (so the lid) leans.
        lat, lon: where the sensor says it is.
        missing: what should be here and is not, with the reason.
    """

    distance_mm: Annotated[int, Field(ge=0, le=100_000)] | None = None
    fill_pct: Annotated[int, Field(ge=0, le=100)] | None = None
    too_close: bool | None = None
    too_far: bool | None = None
    n_valid: Annotated[int, Field(ge=0)] | None = None
    temp_c: Annotated[float, Field(ge=-80, le=200)] | None = None
    battery_v: Annotated[float, Field(ge=0, le=100)] | None = None
    battery_pct: Annotated[int, Field(ge=0, le=100)] | None = None
    tilt: bool | None = None
    lat: Lat | None = None
    lon: Lon | None = None


class Movement(_Said):
    """Where a vehicle was at one instant, and how it moved. What was not told is None.

    Attributes:
        time: of the fix.
        lon, lat: None without a fix.
        satellites: used for the fix.
        ignition: whether the engine is on.
        inputs: numbered inputs of the tracker, as the tracker numbers them; which is the lifter's
            contact depends on how it was wired.
        missing: what should be here and is not, with the reason.
    """

    lon: Lon | None = None
    lat: Lat | None = None
    speed_mps: Annotated[float, Field(ge=0, le=100)] | None = None
    heading_deg: Annotated[float, Field(ge=0, le=360)] | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    altitude_m: Annotated[float, Field(ge=-1_000, le=10_000)] | None = None
    satellites: Annotated[int, Field(ge=0, le=255)] | None = None
    ignition: bool | None = None
    inputs: dict[int, int] | None = None


Said = Measurement | Movement
_PLACE = ("lon", "lat")


class Draft[T: Said]:
    """A measurement or movement while its frame is being read.

    A value that cannot be (900 degrees, a battery of 255 %) costs only itself: it is left out and
    named in `missing`, and the rest of the frame counts.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._values: dict[str, Any] = {}
        self._missing: dict[str, str] = {}

    def set(self, field: str, value: object) -> None:
        """Take down a value; told twice, the last counts."""
        self._missing.pop(field, None)
        self._values[field] = value

    def lack(self, field: str, why: str) -> None:
        """Take down that a value is missing, and why: `no target`."""
        self._values.pop(field, None)
        self._missing[field] = why

    def found(self) -> tuple[T, ...]:
        """Return what was said, or nothing at all where nothing was measured.

        Raises:
            FrameError: nothing was measured, for a reason.
        """
        said = self.done()
        if self._values.keys() - {"time"}:
            return (said,)
        if said.missing:
            raise FrameError(said.missing)
        return ()

    def done(self) -> T:
        """Return what was said, however little that is."""
        try:
            return self._made()
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False):
                self._drop(str(problem["loc"][0]), problem["msg"])
        return self._made()

    def _made(self) -> T:
        missing = "; ".join(f"{field}: {why}" for field, why in self._missing.items())
        return self._kind(**self._values, missing=missing or None)

    def _drop(self, field: str, why: str) -> None:
        if field in _PLACE:  # one without the other is no place
            for name in _PLACE:
                self._values.pop(name, None)
        self.lack(field, why)
