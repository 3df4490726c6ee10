"""A year of a city's fill levels and two weeks of its trucks, made up and fast."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched, repeat

import numpy as np
import psycopg
from numpy.typing import NDArray

from config.region import Region
from config.region_folder import load_region
from storage import assets, beliefs
from storage.telemetry import Batch, LevelRow, PositionRow

TRUCKS = 200
LEVEL_DAYS, POSITION_DAYS = 365, 14
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)  # a Friday, at the end of the shift
SHIFT = (timedelta(hours=6), timedelta(hours=14))
EVERY_S = 5
_HOUR = timedelta(hours=1)
_DEPTH_MM = 1500
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class City:
    """Bielefeld's containers, each with a sensor, and a fleet; devices by their stored ids."""

    region: Region
    sensors: list[tuple[int, str]]
    units: list[tuple[int, str]]


def found(connection: psycopg.Connection, scale: float) -> City:
    """Load the region into an empty database, with a share of its containers and of the fleet."""
    region = load_region("bielefeld")
    one = region.vehicles[0]
    trucks = max(1, round(TRUCKS * scale))
    vehicles = [one.model_copy(update={"id": f"truck-{n}"}) for n in range(trucks)]
    containers = region.containers[: max(1, round(len(region.containers) * scale))]
    region = region.model_copy(
        update={"vehicles": tuple(vehicles), "containers": tuple(containers)}
    )
    assets.load_region(connection, region, at=NOW)
    beliefs.save(
        connection,
        (beliefs.BeliefRow(c.id, 0.5, 0.1, 0.05, 0.1, 12.5, NOW) for c in region.containers),
    )
    devices = assets.devices(connection).values()
    return City(
        region,
        [(device.id, device.container) for device in devices if device.container],
        [(device.id, device.vehicle) for device in devices if device.vehicle],
    )


def levels(city: City, rows: int) -> Iterator[Batch]:
    """Yield a year of hourly readings, in the order in which they would come, in batches."""
    for some in batched(_readings(city), rows, strict=False):
        yield Batch(levels=some)


def positions(city: City, rows: int) -> Iterator[Batch]:
    """Yield two weeks of shifts with a fix every five seconds, in batches."""
    for some in batched(_fixes(city), rows, strict=False):
        yield Batch(positions=some)


def _readings(city: City) -> Iterator[LevelRow]:
    """Sensors measure a distance in millimetres; containers fill up and are emptied at 90 %."""
    chance = np.random.default_rng(1)
    devices, containers = zip(*city.sensors, strict=True)
    count = len(devices)
    offset = chance.uniform(0, 3600, count)
    fill, rate = chance.uniform(0, 0.9, count), chance.uniform(0.02, 0.2, count) / 24
    start = NOW - timedelta(days=LEVEL_DAYS)
    for hour in range(LEVEL_DAYS * 24):
        begin = (start + hour * _HOUR).timestamp()
        fill = np.where(fill > 0.9, 0.0, fill + rate * chance.uniform(0, 2, count))
        distance = np.rint(_DEPTH_MM * (1 - fill) + chance.normal(0, 3, count)).clip(1)
        season = 10 - 10 * np.cos(hour * np.pi / 4380) + 4 * np.sin(hour * np.pi / 12)
        time = begin + offset + chance.uniform(0, 2, count)
        order = np.argsort(time)
        columns = zip(
            time[order].tolist(),
            order.tolist(),
            distance[order].astype(int).tolist(),
            np.round(season + chance.normal(0, 1, count), 1)[order].tolist(),
            np.round(3.6 - hour / 50_000 + chance.normal(0, 0.005, count), 2)[order].tolist(),
            strict=True,
        )
        for at, n, mm, temperature, volt in columns:
            yield LevelRow(
                _instant(at), devices[n], hour, containers[n], 1 - mm / _DEPTH_MM, mm,
                temperature, volt, 0, _instant(at + 1.5), clock_suspect=False,
            )  # fmt: skip


def _fixes(city: City) -> Iterator[PositionRow]:
    """Trucks drive and stand in turns; receivers round to a centimetre and tremble."""
    chance = np.random.default_rng(2)
    devices, vehicles = zip(*city.units, strict=True)
    shape = (int((SHIFT[1] - SHIFT[0]).total_seconds()) // EVERY_S, len(devices))
    midnight = NOW.replace(hour=0)
    for day in range(POSITION_DAYS):
        begin = midnight - timedelta(days=POSITION_DAYS - 1 - day) + SHIFT[0]
        lon, lat, speed, heading = _drive(chance, shape)
        time = begin.timestamp() + EVERY_S * np.arange(shape[0])[:, None]
        time = time + chance.uniform(0, 1, shape[1])
        columns = zip(
            time.ravel().tolist(),
            devices * shape[0],
            np.repeat(day * shape[0] + np.arange(shape[0]), shape[1]).tolist(),
            vehicles * shape[0],
            *(a.ravel().tolist() for a in (lon, lat, speed, heading)),
            chance.integers(2, 9, shape).ravel().tolist(),
            repeat(0),
            (time + 0.4).ravel().tolist(),
            strict=False,
        )
        for at, *said, came in columns:
            yield PositionRow._make((_instant(at), *said, _instant(came), False))


def _drive(
    chance: np.random.Generator, shape: tuple[int, int]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return longitude, latitude, speed and heading, by fix and truck."""
    drives = np.sin(np.cumsum(chance.normal(0, 0.2, shape), axis=0)) > 0.2
    speed = np.where(drives, chance.uniform(2, 13, shape), 0.0).round(1)
    heading = np.cumsum(chance.normal(0, 12, shape), axis=0) % 360
    east, north = (f(np.radians(heading)) * speed * EVERY_S for f in (np.sin, np.cos))
    noise = chance.normal(0, 1.5e-5, (2, *shape))
    lon = 8.53 + np.cumsum(east, axis=0) / 68_000 + noise[0]
    lat = 52.02 + np.cumsum(north, axis=0) / 111_000 + noise[1]
    return lon.round(7), lat.round(7), speed, heading.round()


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)
