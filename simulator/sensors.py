"""Fill sensors: what they report of the true levels, and what they do not.

Defaults are the noise model of the domain research: a rough surface, a cone that lies
differently each day, spikes when something hangs before the sensor, echoes, saturation near the
top, lost messages. Every reading is a function of (seed, sensor, number), so that a sensor can
be asked for any span of time, twice, with the same answer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import chance
from simulator.chance import Floats
from simulator.waste import Waste


@dataclass(frozen=True, slots=True)
class SensorModel:
    """How a sensor sees and speaks.

    Attributes:
        period_s: time between readings.
        noise: standard deviation of a reading, share of the container.
        cone: standard deviation of the surface's bias, drawn anew each day.
        near: chance that something hangs before the sensor: it sees a full container.
        far: chance of an echo: it sees an empty one.
        saturates_at: highest level it can tell, because of its blind zone.
        loss: chance that a message never arrives.
        repeat: chance that the network delivers a message twice.
    """

    period_s: float = 4 * 3600.0
    noise: float = 0.03
    cone: float = 0.03
    near: float = 0.012
    far: float = 0.005
    saturates_at: float = 0.98
    loss: float = 0.03
    repeat: float = 0.005


@dataclass(frozen=True, eq=False)
class Readings:
    """What sensors reported, in the order of time; arrays of equal length.

    Attributes:
        sensor: index into the names of the sensors.
        container: index into the world's containers.
        time: seconds since 1970.
        number: the sensor's own count of its messages, lost ones included.
        fill: share of the container, as the sensor sees it.
        twice: the network delivers this one a second time.
    """

    sensor: NDArray[np.int64]
    container: NDArray[np.int64]
    time: Floats
    number: NDArray[np.int64]
    fill: Floats
    twice: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.sensor)


class Sensors:
    """The sensors of a world's containers; some containers may have none."""

    def __init__(self, waste: Waste, seed: int, model: SensorModel | None = None) -> None:
        self._waste = waste
        self._seed = seed
        self._model = model or SensorModel()
        sensed = [(i, c.sensor) for i, c in enumerate(waste.containers) if c.sensor]
        self.names = tuple(name for _, name in sensed)
        self._container = np.array([i for i, _ in sensed], np.int64)
        self._keys = chance.keys(self.names)
        self._phase = chance.uniform(seed, "phase", self._keys) * self._model.period_s

    def observe(self, start: float, end: float) -> Readings:
        """Return what arrives of the readings made in a span [start, end)."""
        sensor, number = self._made(start, end)
        arrives = self._draw("loss", sensor, number) >= self._model.loss
        sensor, number = sensor[arrives], number[arrives]
        time = self._phase[sensor] + number * self._model.period_s
        order = np.lexsort((sensor, time))
        sensor, number, time = sensor[order], number[order], time[order]
        container = self._container[sensor]
        fill = self._seen(sensor, number, time, self._waste.level(container, time))
        twice = self._draw("repeat", sensor, number) < self._model.repeat
        return Readings(sensor, container, time, number, fill, twice)

    def _made(self, start: float, end: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (sensor, number) of all readings made in a span."""
        first = np.ceil((start - self._phase) / self._model.period_s).astype(np.int64)
        last = np.ceil((end - self._phase) / self._model.period_s).astype(np.int64)
        count = np.maximum(last - first, 0)
        sensor = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(sensor)) - np.repeat(np.cumsum(count) - count, count)
        return sensor, np.repeat(first, count) + within

    def _seen(
        self,
        sensor: NDArray[np.int64],
        number: NDArray[np.int64],
        time: Floats,
        level: Floats,
    ) -> Floats:
        model = self._model
        day = (time // 86_400).astype(np.int64)
        noise = model.noise * chance.normal(self._seed, "noise", self._keys[sensor], number)
        cone = model.cone * chance.normal(self._seed, "cone", self._keys[sensor], day)
        seen = np.clip(level + noise + cone, 0, model.saturates_at)
        kind = self._draw("spike", sensor, number)
        where = self._draw("spike-at", sensor, number)
        seen = np.where(kind < model.near, model.saturates_at - 0.1 * where, seen)
        seen = np.where((kind >= model.near) & (kind < model.near + model.far), 0.1 * where, seen)
        return np.round(seen, 3)

    def _draw(self, stream: str, sensor: NDArray[np.int64], number: NDArray[np.int64]) -> Floats:
        return chance.uniform(self._seed, stream, self._keys[sensor], number)
