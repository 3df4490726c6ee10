"""From what is stored of a published plan and what its trucks reported to the running day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from config.errors import PlanError
from config.region import Region, Service
from jobs.day_clock import DayClock
from jobs.published_day import Known
from optimizer.daily.rules import day_rules
from optimizer.formats.event_json import (
    BreakdownPart,
    ClosurePart,
    DriverSwapPart,
    EventPart,
    FacilityClosedPart,
    UrgentStopPart,
)
from optimizer.model import DAY_S, Problem, TimeWindow, Truck, Visit
from optimizer.replan import Event, RunningDay, RunningStop, RunningTour, StopState
from optimizer.replan import events as kinds
from optimizer.replan.progress import running_tour
from optimizer.road_times import Places, TravelTimes
from storage.plans import TourRecord
from storage.replans import Report

FRESH = timedelta(minutes=10)  # a position older than this does not tell where a truck is


def running_day(
    known: Known, region: Region, travel: TravelTimes, events: Sequence[EventPart], now: datetime
) -> tuple[RunningDay, list[Event], list[Event], Places]:
    """Return the day as it is now, what happens to it, what holds already, and its places.

    Raises:
        PlanError: the plan's day is over, or an event names what the region does not have.
    """
    return _Builder(known, region, travel, now).build(events)


class _Builder:
    def __init__(self, known: Known, region: Region, travel: TravelTimes, now: datetime) -> None:
        self._known, self._region, self._travel, self._now = known, region, travel, now
        self._plan = known.plan
        self._service = next(s for s in region.services if s.id == self._plan.service)
        self._clock = DayClock(region, self._plan.day)
        self._now_s = max(0, self._clock.second(now))
        if self._now_s >= DAY_S:
            raise PlanError(f"{self._plan.day} is over; nothing of it can be re-planned")

    def build(
        self, events: Sequence[EventPart]
    ) -> tuple[RunningDay, list[Event], list[Event], Places]:
        urgent = [one for one in self._known.accepted if isinstance(one, UrgentStopPart)]
        problem, sites = self._problem(urgent)
        new = [one for one in events if isinstance(one, UrgentStopPart)]
        points, curbs = self._points(problem, sites, new)
        first_truck = len(points)
        trucks = self._fresh(problem)
        points += [trucks[name] for name in trucks]
        places = Places.of(points, curbs + [False] * len(trucks))
        snapped = self._travel.snap(places)
        where = {
            name: first_truck + row
            for row, name in enumerate(trucks)
            if snapped.ok[first_truck + row]
        }
        matrix = self._travel.matrix(places)
        problem = problem.replace(
            trucks=tuple(self._truck(truck) for truck in problem.trucks),
            duration_s=matrix.duration_s,
            distance_m=matrix.distance_m,
        )
        tours = tuple(
            tour
            for record in self._plan.tours
            if (tour := self._tour(problem, record, where)) is not None
        )
        day = RunningDay(problem, tours, self._now_s, places.lon_lat)
        first_new = len(points) - len(trucks) - len(new)
        located = iter(range(first_new, first_new + len(new)))
        happened = [self._event(one, problem, located) for one in events]
        standing = [
            self._event(one, problem, iter(()))
            for one in self._known.accepted
            if isinstance(one, BreakdownPart | ClosurePart | FacilityClosedPart)
        ]
        return day, happened, standing, places

    def _problem(self, urgent: Sequence[UrgentStopPart]) -> tuple[Problem, list[str]]:
        """Return the day's problem with the visits that tours have, and their sites."""
        found = self._known.problem
        touring = {s.place for t in self._plan.tours for s in t.stops if s.kind == "visit"}
        facts = {visit.id: visit for visit in found.visits}
        for one in urgent:
            facts[one.site] = self._visit(one, 0)
        missing = touring - facts.keys()
        if missing:
            raise PlanError(f"plan {self._plan.id} has a stop {min(missing)!r} that is not known")
        f = len(found.facilities)
        visits = [
            replace(facts[name], location=1 + f + row) for row, name in enumerate(sorted(touring))
        ]
        facilities = [replace(one, location=1 + row) for row, one in enumerate(found.facilities)]
        trucks = [replace(truck, start=0, end=0) for truck in found.trucks]
        nowhere = np.zeros((1 + f + len(visits),) * 2)
        problem = found.replace(
            visits=tuple(visits),
            facilities=tuple(facilities),
            trucks=tuple(trucks),
            duration_s=nowhere.astype(np.int64),
            distance_m=nowhere,
        )
        return problem, [visit.id for visit in visits]

    def _points(
        self, problem: Problem, sites: Sequence[str], new: Sequence[UrgentStopPart]
    ) -> tuple[list[tuple[float, float]], list[bool]]:
        region = self._region
        depot = next(one for one in region.depots if one.id == self._plan.depot)
        declared = {one.id: one for one in region.facilities}
        points = [(depot.lon, depot.lat)]
        points += [(declared[f.id].lon, declared[f.id].lat) for f in problem.facilities]
        named = [self._site(name) for name in (*sites, *(one.site for one in new))]
        curbs = [False] * len(points) + [site.curb for site in named]
        return points + [(site.lon, site.lat) for site in named], curbs

    def _site(self, name: str) -> Any:
        site = self._region.site_by_id.get(name)
        if site is None:
            raise PlanError(f"region {self._region.id} has no site {name!r}")
        return site

    def _fresh(self, problem: Problem) -> dict[str, tuple[float, float]]:
        """Return where trucks on their tours said to be a moment ago."""
        touring = {tour.vehicle for tour in self._plan.tours}
        return {
            truck.id: (row.lon, row.lat)
            for truck in problem.trucks
            if truck.id in touring
            and (row := self._known.positions.get(truck.id)) is not None
            and abs(self._now - row.time) <= FRESH
        }

    def _truck(self, truck: Truck) -> Truck:
        """Return a truck under the driver who has it now."""
        for one in self._known.accepted:
            if isinstance(one, DriverSwapPart) and one.vehicle == truck.id:
                swap = self._swap(one)
                truck = replace(
                    truck, shift=swap.shift, breaks=swap.breaks, break_options=(),
                    max_driving_s=swap.max_driving_s,
                )  # fmt: skip
        return truck

    def _swapped_s(self, vehicle: str) -> int | None:
        swaps = [
            self._swap(one).shift.earliest_s
            for one in self._known.accepted
            if isinstance(one, DriverSwapPart) and one.vehicle == vehicle
        ]
        return swaps[-1] if swaps else None

    def _tour(
        self, problem: Problem, record: TourRecord, where: Mapping[str, int]
    ) -> RunningTour | None:
        index = next((i for i, t in enumerate(problem.trucks) if t.id == record.vehicle), None)
        if index is None:
            return None
        said = [one for one in self._known.reports if one.tour == record.id]
        stops = _states(problem, record, said, self._clock)
        left = any(one.kind != "tour-end" for one in said)
        start_s = self._clock.second(said[0].time if left else record.start)
        swapped_s = self._swapped_s(record.vehicle)
        breaks = [one for one in said if one.kind == "break-start"]
        if swapped_s is not None and left:
            start_s = max(start_s, swapped_s)
            breaks = [one for one in breaks if self._clock.second(one.time) >= swapped_s]
        at, clock_s = self._stands(problem, record, stops, said, where, index)
        since_s = self._clock.second(breaks[-1].time) if breaks else None
        return running_tour(
            problem,
            index,
            stops,
            revision=record.revision,
            start_s=start_s,
            left=left,
            at=at,
            clock_s=clock_s,
            breaks_taken=min(len(breaks), len(problem.trucks[index].breaks)),
            last_break_s=since_s if since_s is not None else swapped_s,
        )

    def _stands(
        self,
        problem: Problem,
        record: TourRecord,
        stops: Sequence[RunningStop],
        said: Sequence[Report],
        where: Mapping[str, int],
        index: int,
    ) -> tuple[int, int]:
        """Return where a truck is and when it is free to go on from there."""
        serving = next((stop for stop in stops if stop.state is StopState.SERVING), None)
        if serving is not None:
            came = next(o.time for o in reversed(said) if o.stop == serving.number)
            planned = next(s for s in record.stops if s.number == serving.number)
            over_s = self._clock.second(came) + planned.service_s
            return problem.location(serving.node), max(self._now_s, over_s)
        clock_s = self._now_s
        if said and said[-1].kind == "break-start":
            lasts_s = next((s.service_s for s in record.stops if s.number == said[-1].stop), 0)
            clock_s = max(clock_s, self._clock.second(said[-1].time) + lasts_s)
        if record.vehicle in where:
            return where[record.vehicle], clock_s
        done = [s for s in stops if s.state in (StopState.DONE, StopState.FAILED)]
        at = problem.location(done[-1].node) if done else problem.trucks[index].start
        ahead = next((s for s in stops if s.state in (StopState.NEXT, StopState.LOCKED)), None)
        if ahead is not None and said:
            # Somewhere on its way: what it has driven since it left is behind it.
            seconds, _ = problem.travel.legs([at, problem.location(ahead.node)])
            gone_s = self._now_s - self._clock.second(said[-1].time)
            clock_s -= min(max(0, gone_s), max(0, int(seconds[0])))
        return at, clock_s

    def _event(self, one: EventPart, problem: Problem, located: Any) -> Event:
        match one:
            case BreakdownPart():
                return kinds.Breakdown(one.vehicle)
            case ClosurePart():
                return kinds.Closure(one.polygon, *self._span(one))
            case FacilityClosedPart():
                return kinds.FacilityClosed(one.facility, *self._span(one))
            case UrgentStopPart():
                return kinds.UrgentStop(self._visit(one, next(located)))
            case DriverSwapPart():
                return self._swap(one)
            case _ if one.type == "truck-full":
                return kinds.TruckFull(one.vehicle, one.fraction)
            case _:
                return kinds.CancelStop(one.site)

    def _span(self, one: ClosurePart | FacilityClosedPart) -> tuple[int, int]:
        return self._clock.bounded(one.begin, self._now_s), self._clock.bounded(one.end, DAY_S)

    def _swap(self, one: DriverSwapPart) -> kinds.DriverSwap:
        begin_s = self._clock.bounded(one.begin, self._now_s)
        end_s = self._clock.bounded(one.end, DAY_S)
        if end_s <= begin_s:
            raise PlanError(f"the new driver of {one.vehicle} has to be back after starting")
        rules = day_rules(self._service.rule_profile, TimeWindow(begin_s, end_s))
        return kinds.DriverSwap(one.vehicle, rules.shift, rules.breaks, rules.max_driving_s)

    def _visit(self, one: UrgentStopPart, location: int) -> Visit:
        """Return a visit that empties full containers."""
        containers = containers_at(self._region, self._service, one)
        kg = [0.0] * len(self._service.fractions)
        litres = list(kg)
        for container in containers:
            fraction = self._region.fraction_by_id[container.fraction]
            row = self._service.fractions.index(container.fraction)
            weight = container.volume_l / 1000 * fraction.container_kg_per_m3
            kg[row] += weight
            litres[row] += weight / fraction.truck_kg_per_m3 * 1000
        service_s = self._service.site_s + len(containers) * self._service.container_s
        earliest_s = _wall(self._service.earliest)
        latest_s = max(earliest_s, _wall(self._service.latest) - service_s)
        return Visit(
            id=one.site,
            location=location,
            kg=tuple(kg),
            litres=tuple(litres),
            service_s=service_s,
            windows=(TimeWindow(earliest_s, latest_s),),
            prize_eur=one.worth_eur,
            lifts=len(containers),
        )


def containers_at(region: Region, service: Service, one: UrgentStopPart) -> list[Any]:
    """Return the containers that an urgent stop empties.

    Raises:
        PlanError: the site has none of the service, or not those that were named.
    """
    mine = [
        container
        for container in region.containers
        if container.site == one.site and container.fraction in service.fractions
    ]
    if one.containers:
        named = [container for container in mine if container.id in one.containers]
        if len(named) != len(set(one.containers)):
            raise PlanError(f"site {one.site} has not all of {', '.join(one.containers)}")
        return named
    if not mine:
        raise PlanError(f"site {one.site!r} has no container of {service.id}")
    return mine


def _wall(clock: Any) -> int:
    return int(clock.hour * 3600 + clock.minute * 60 + clock.second)


def _states(
    problem: Problem, record: TourRecord, said: Sequence[Report], clock: DayClock
) -> list[RunningStop]:
    """Return a tour's visits and unloadings with how far each has come."""
    reported: dict[int, set[str]] = {}
    for one in said:
        if one.stop is not None:
            reported.setdefault(one.stop, set()).add(one.kind)
    placed = [stop for stop in record.stops if stop.kind != "break"]
    over = [bool(reported.get(s.number, set()) & {"stop-done", "stop-failed"}) for s in placed]
    last = max((place for place, done in enumerate(over) if done), default=-1)
    on_its_way = bool(said)
    stops: list[RunningStop] = []
    for place, stop in enumerate(placed):
        told = reported.get(stop.number, set())
        if "stop-done" in told:
            state = StopState.DONE
        elif "stop-failed" in told:
            state = StopState.FAILED
        elif place < last:
            state = StopState.PASSED
        elif "stop-arrive" in told:
            state = StopState.SERVING
        elif stop.locked:
            state = StopState.LOCKED
        elif on_its_way:
            state = StopState.NEXT
        else:
            state = StopState.PENDING
        if state in (StopState.NEXT, StopState.LOCKED, StopState.SERVING):
            on_its_way = False
        node = problem.node_of(stop.place)
        stops.append(RunningStop(stop.number, node, state, clock.second(stop.arrival)))
    return stops
