"""The whole city: it fills, reports and drives, over the public wires only.

*Live*, it follows the shared clock that somebody else runs. *Fast*, it runs the clock itself, as
fast as the product takes what it tells: the clock stands while the product plans.
"""

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from config.clock import SharedClock
from config.region import Region
from ingest.messages import TourDown
from simulator.calendar import rota
from simulator.drive import drive
from simulator.gateway import Gateway
from simulator.link import Credentials
from simulator.records import Records
from simulator.sensors import Sensors
from simulator.state import CityState
from simulator.streams import Playback, Told, tell_lifts, tell_readings, wait_for_room
from simulator.summary import summarise
from simulator.unit import SentLog, Unit
from simulator.waste import Waste

WARM_UP_DAYS = 21  # of filling and fetching before anything is told
CONNECT_S = 30.0
Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class CityOptions:
    """How a city is played.

    Attributes:
        seed: of everything that is random in it.
        history_days: days before the first start of which it tells.
        fast: it runs the clock itself.
        until_executed: it ends when the tours of the clock's day are driven; a fast one always
            does.
        step_s: simulated time told at once when fast.
        poll_s: real time between two looks at the clock or for tours.
    """

    seed: int = 1
    history_days: int = 14
    fast: bool = False
    until_executed: bool = False
    step_s: float = 60.0
    poll_s: float = 0.25


class City:
    """A region's containers, sensors and trucks, played against a running product.

    Args:
        region: what there is.
        credentials: where the broker is, and who is played.
        clock: the time of the simulated day.
        folder: what is kept between two starts.
        options: how it is played.
        sent: notes everything that is told.
        say: is handed each step of progress.
    """

    def __init__(
        self,
        region: Region,
        credentials: Credentials,
        clock: SharedClock,
        folder: Path,
        options: CityOptions,
        sent: SentLog | None = None,
        say: Say = lambda _: None,
    ) -> None:
        self._region, self._credentials, self._clock = region, credentials, clock
        self._folder, self._options, self._sent, self._say = folder, options, sent, say
        self._told = Told()
        self._playing: dict[str, Playback] = {}
        self._units: dict[str, Unit] = {}
        self._now = clock.now().timestamp()
        if options.fast:
            clock.set(clock.now(), 0.0)
        self._state = self._remembered()
        self._told_until = self._state.told_until
        self._waste = Waste(region, options.seed, date.fromisoformat(self._state.origin))
        self._sensors = Sensors(self._waste, options.seed)
        self._spoke = 0.0

    def run(self) -> dict[str, Any]:
        """Play until the day is done, or for ever; return the summary."""
        started = time.monotonic()
        with ExitStack() as stack:
            gateway = self._gateway = stack.enter_context(self._open_gateway())
            for vehicle in self._region.vehicles:
                self._units[vehicle.id] = stack.enter_context(self._open_unit(vehicle.id))
            gateway.wait_connected(CONNECT_S)
            for unit in self._units.values():
                unit.wait_connected(CONNECT_S)
            stack.callback(self._save)
            self._recall()
            self._tell_history()
            while not self._done():
                self._pass_time()
            self._settle()
            counts = {name: unit.counts for name, unit in self._units.items()}
            summary = {
                "wall_s": round(time.monotonic() - started, 1),
                **asdict(self._told),
                "resent": sum(count.resent for count in counts.values()),
                "tours": self._tours(),
                **summarise(self._region, self._waste, self._day, self._told_until),
            }
        self._say({"phase": "done", **summary})
        return summary

    @property
    def _day(self) -> date:
        return datetime.fromtimestamp(self._told_until, self._region.time_zone).date()

    # Beginning ----------------------------------------------------------------------------

    @property
    def _state_file(self) -> Path:
        return self._folder / "city.json"

    def _remembered(self) -> CityState:
        options, region = self._options, self._region
        state = CityState.read(self._state_file, region.id, options.seed)
        if state:
            return state
        today = datetime.fromtimestamp(self._now, region.time_zone).date()
        first = today - timedelta(days=options.history_days)
        return CityState(
            region=region.id,
            seed=options.seed,
            origin=(first - timedelta(days=WARM_UP_DAYS)).isoformat(),
            began=today.isoformat(),
            told_until=region.midnight(first).timestamp() if options.history_days else self._now,
        )

    def _recall(self) -> None:
        """Apply what was emptied before this start: by the old calendar, then by tours."""
        origin, began = (date.fromisoformat(d) for d in (self._state.origin, self._state.began))
        self._past = rota(self._region, self._options.seed, origin, began - timedelta(days=1))
        self._waste.empty([e.which for e in self._past], [e.time for e in self._past])
        index = self._waste.index
        known = [(index[name], at) for name, at in self._state.emptied if name in index]
        self._waste.empty([which for which, _ in known], [at for _, at in known])

    def _tell_history(self) -> None:
        """Tell of the days before, so that the product can learn from them."""
        until = self._now
        while self._told_until < until:
            start, end = self._told_until, min(until, self._told_until + 86_400)
            lifts = [lift for lift in self._past if start <= lift.time < end]
            self._told.lifts += tell_lifts(self._units, self._waste, lifts)
            self._told.readings += tell_readings(self._gateway, self._sensors, start, end)
            self._told_until = end
            published = self._told.readings + self._told.lifts
            self._say({"phase": "history", "published": published, "until": _iso(end)})
        self._settle()
        self._save()

    # Passing time -------------------------------------------------------------------------

    def _pass_time(self) -> None:
        """Let time pass a bit and tell of it."""
        self._start_tours()
        until = self._next_instant()
        if until <= self._told_until:
            time.sleep(self._options.poll_s)
        else:
            self._tell(until)
        self._report()

    def _next_instant(self) -> float:
        if not self._options.fast:
            # Whole milliseconds, as units' marks are: nothing falls between two spans.
            return math.floor(self._clock.now().timestamp() * 1000) / 1000
        if not self._have_all_tours():
            return self._told_until
        until = self._told_until + self._options.step_s
        self._clock.set(datetime.fromtimestamp(until, UTC), 0.0)
        return until

    def _tell(self, until: float) -> None:
        self._told.readings += tell_readings(self._gateway, self._sensors, self._told_until, until)
        for playback in self._playing.values():
            self._told.count(playback.tell(until))
        self._told_until = until
        if not self._options.fast:
            time.sleep(self._options.poll_s)

    def _start_tours(self) -> None:
        """Let trucks leave whose time has come."""
        for vehicle, unit in self._units.items():
            tour = unit.tour
            if tour is None or not tour.stops or not self._is_today(tour):
                continue
            if vehicle in self._playing and self._is_today(self._playing[vehicle].drive.tour):
                continue
            if tour.start.timestamp() <= self._told_until + self._options.step_s:
                self._playing[vehicle] = self._leave(tour, unit)

    def _leave(self, tour: TourDown, unit: Unit) -> Playback:
        name = f"{tour.tour}/{tour.revision}"
        left = self._state.started.setdefault(name, self._told_until)
        day = drive(tour, self._region, self._waste, self._options.seed, left)
        self._waste.empty([which for which, _ in day.emptied], [at for _, at in day.emptied])
        return Playback(day, unit)

    def _judge(self, tour: TourDown) -> str | None:
        """Refuse a tour that comes while the day's tour is under way."""
        playing = self._playing.get(tour.vehicle)
        if playing is None or not self._is_today(playing.drive.tour):
            return None
        under_way = playing.drive.tour
        same = (tour.tour, tour.revision) == (under_way.tour, under_way.revision)
        return None if same or not self._is_today(tour) else "the day's tour is under way"

    def _is_today(self, tour: TourDown) -> bool:
        return tour.day == self._day.isoformat()

    @property
    def _expected(self) -> list[Unit]:
        """The units of the trucks that work today."""
        running = {
            s.id for s in self._region.services if self._region.is_collection_day(s, self._day)
        }
        return [self._units[v.id] for v in self._region.vehicles if running & set(v.services)]

    def _have_all_tours(self) -> bool:
        tours = [unit.tour for unit in self._expected]
        return all(tour is not None and self._is_today(tour) for tour in tours)

    def _executed(self) -> bool:
        """Whether every truck that works today has had its tour, and driven it."""
        driven = {vehicle for vehicle, playing in self._playing.items() if playing.done}
        return self._have_all_tours() and all(
            unit.device in driven or (unit.tour is not None and not unit.tour.stops)
            for unit in self._expected
        )

    def _done(self) -> bool:
        return (self._options.fast or self._options.until_executed) and self._executed()

    # Ending -------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Wait until everything that was told is kept elsewhere."""
        self._gateway.flush()
        for unit in self._units.values():
            wait_for_room(unit, at_most=0)

    def _save(self) -> None:
        state, until = self._state, self._told_until
        state.told_until = until
        state.emptied = [(name, at) for name, at in self._waste.emptyings if at < until]
        state.save(self._state_file)

    def _report(self) -> None:
        """Say how far it is, about once a second."""
        if time.monotonic() < self._spoke + 1.0:
            return
        self._spoke = time.monotonic()
        phase = "driving" if self._playing else "waiting-for-tours"
        self._say({"phase": phase, "time": _iso(self._told_until), **asdict(self._told)})

    def _tours(self) -> list[dict[str, Any]]:
        return [
            {
                "vehicle": vehicle,
                "tour": playing.drive.tour.tour,
                "revision": playing.drive.tour.revision,
                "stops": len(playing.drive.tour.stops),
                "km": round(playing.drive.km, 1),
                "end": _iso(playing.drive.end),
            }
            for vehicle, playing in self._playing.items()
        ]

    def _open_gateway(self) -> Gateway:
        given = self._credentials
        login = given.login(given.gateway)
        return Gateway(self._region.id, given.url, login, sent=self._sent)

    def _open_unit(self, vehicle: str) -> Unit:
        given = self._credentials
        return Unit(
            vehicle,
            self._region.id,
            given.url,
            given.login(vehicle),
            self._clock,
            Records(self._folder / "units" / f"{vehicle}.db"),
            sent=self._sent,
            judge=self._judge,
        )


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="seconds")
