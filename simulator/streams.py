"""From the world to the wires: what sensors and trucks say about a span of time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from config.errors import BrokerError
from ingest.messages import EventKind, Kind
from simulator.calendar import Emptying
from simulator.drive import Drive
from simulator.gateway import Gateway
from simulator.sensors import Sensors
from simulator.unit import Unit
from simulator.waste import Waste

Draft = tuple[Kind, datetime, dict[str, Any]]

BACKLOG = 2_000  # records of a unit that are not stored, before the world waits
PATIENCE_S = 300.0


@dataclass
class Told:
    """Counts of what was told."""

    readings: int = 0
    fixes: int = 0
    lifts: int = 0
    events: int = 0
    stops_done: int = 0
    stops_failed: int = 0
    unloads: int = 0
    collected_kg: float = 0.0

    def count(self, drafts: Iterable[Draft]) -> None:
        """Count what a truck says."""
        for kind, _, fields in drafts:
            if kind is Kind.POSITION:
                self.fixes += 1
                continue
            self.events += 1
            event = fields["kind"]
            self.lifts += event is EventKind.LIFT
            self.stops_done += event is EventKind.STOP_DONE
            self.stops_failed += event is EventKind.STOP_FAILED
            if event is EventKind.UNLOAD:
                self.unloads += 1
                self.collected_kg += fields["kg"]


class Playback:
    """Tells a drive bit by bit, as time passes; goes on where its unit's memory ends."""

    def __init__(self, drive: Drive, unit: Unit) -> None:
        self.drive = drive
        self._unit = unit
        told_until = unit.mark / 1000
        self._fix = int(np.searchsorted(drive.fixes.time, told_until))
        self._event = sum(happening.time < told_until for happening in drive.happenings)

    @property
    def done(self) -> bool:
        """Whether all is told."""
        return self._event == len(self.drive.happenings)

    def tell(self, until: float) -> list[Draft]:
        """Let the unit say what happened before an instant; return what it said."""
        drafts = [*self._fixes(until), *self._events(until)]
        drafts.sort(key=lambda draft: draft[1])
        if drafts:
            wait_for_room(self._unit)
            self._unit.extend(drafts, mark=round(until * 1000))
        return drafts

    def _fixes(self, until: float) -> list[Draft]:
        fixes, begin = self.drive.fixes, self._fix
        end = self._fix = int(np.searchsorted(fixes.time, until))
        span = slice(begin, end)
        return [
            (
                Kind.POSITION,
                datetime.fromtimestamp(time, UTC),
                {"lon": lon, "lat": lat, "speed_mps": speed, "heading_deg": heading},
            )
            for time, (lon, lat), speed, heading in zip(
                fixes.time[span].tolist(),
                fixes.lon_lat[span].tolist(),
                fixes.speed_mps[span].tolist(),
                fixes.heading_deg[span].tolist(),
                strict=True,
            )
        ]

    def _events(self, until: float) -> list[Draft]:
        drafts: list[Draft] = []
        for time, kind, fields in self.drive.happenings[self._event :]:
            if time >= until:
                break
            drafts.append((Kind.EVENT, datetime.fromtimestamp(time, UTC), {"kind": kind, **fields}))
        self._event += len(drafts)
        return drafts


def tell_readings(gateway: Gateway, sensors: Sensors, start: float, end: float) -> int:
    """Let the sensors report a span of time; return how many readings went out."""
    return gateway.publish(sensors.names, sensors.observe(start, end))


def tell_lifts(units: Mapping[str, Unit], waste: Waste, emptyings: Iterable[Emptying]) -> int:
    """Let the trucks report the lifts of past days; return how many there were."""
    drafts: dict[str, list[Draft]] = defaultdict(list)
    for time, vehicle, which in emptyings:
        fields = {
            "kind": EventKind.LIFT,
            "container": waste.ids[which],
            "kg": round(waste.kg(which, time), 1),
        }
        drafts[vehicle].append((Kind.EVENT, datetime.fromtimestamp(time, UTC), fields))
    for vehicle, said in drafts.items():
        wait_for_room(units[vehicle])
        units[vehicle].extend(said)
    return sum(map(len, drafts.values()))


def wait_for_room(unit: Unit, at_most: int = BACKLOG) -> None:
    """Wait until a unit's memory has room.

    Raises:
        BrokerError: nothing is stored for a long time.
    """
    stored = unit.counts.stored
    while not unit.wait_stored(PATIENCE_S, at_most):
        if unit.counts.stored == stored:
            raise BrokerError(
                f"unit {unit.device}: {unit.counts.pending} records wait, and none was stored in "
                f"{PATIENCE_S:.0f} s; is `binround ingest` running?"
            )
        stored = unit.counts.stored
