"""From a proposal to what is stored of it: whole tours, ready to be accepted, and what is told."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from config.region import Region
from jobs.published_day import Known
from jobs.running_day import containers_at
from optimizer.check import TimedBreak, TimedNode, TimedTour
from optimizer.daily import instant
from optimizer.explain import Text
from optimizer.formats.event_json import EventPart, UrgentStopPart
from optimizer.polyline import encode
from optimizer.replan import NewTour, Proposal, RunningDay, RunningTour
from optimizer.road_times import Places, TravelTimes
from storage.plans import StopRecord, TourRecord
from storage.replans import Basis, ReplanRecord, Undone

URGENT = "ordered during the day"


def replan_record(
    name: str,
    known: Known,
    day: RunningDay,
    proposal: Proposal,
    events: Sequence[EventPart],
    region: Region,
    travel: TravelTimes,
    at: datetime,
) -> ReplanRecord:
    """Return what is stored of a proposal."""
    maker = _Tours(known, day, proposal, events, region, travel)
    containers = {s.place: s.containers for t in known.plan.tours for s in t.stops}
    return ReplanRecord(
        id=name,
        plan=known.plan.id,
        events=[one.model_dump(mode="json", exclude_none=True) for one in events],
        basis=tuple(_basis(known, vehicle, revision) for vehicle, revision in proposal.touched),
        tours=tuple(maker.tour(one) for one in proposal.tours),
        undone=tuple(
            Undone(site=one.visit, reason=one.reason, containers=containers.get(one.visit, ()))
            for one in proposal.undone
        ),
        told=told(proposal),
        created_at=at,
    )


def _basis(known: Known, vehicle: str, revision: int) -> Basis:
    tour = next((one for one in known.plan.tours if one.vehicle == vehicle), None)
    if tour is None:
        return Basis(tour=f"{known.plan.id}-{vehicle}", vehicle=vehicle, revision=revision)
    over = {one.stop for one in known.reports if one.tour == tour.id and one.stop is not None}
    return Basis(
        tour=tour.id,
        vehicle=vehicle,
        revision=revision,
        locked=tuple(stop.number for stop in tour.stops if stop.locked),
        over=tuple(sorted(over)),
    )


def told(proposal: Proposal) -> dict[str, Any]:
    """Return what people are told of a proposal, as JSON values."""
    return {
        "found_by": proposal.found_by,
        "eur_before": round(proposal.eur_before, 2),
        "eur_after": round(proposal.eur_after, 2),
        "price_on_change_eur": round(proposal.price_eur, 2),
        "others_share": round(proposal.others_share, 4),
        "tours": [
            {
                "vehicle": tour.vehicle,
                "stops": len(tour.nodes),
                "later_min": None if tour.later_s is None else round(tour.later_s / 60, 1),
            }
            for tour in proposal.tours
        ],
        "moved": [
            {"site": one.visit, "before": one.before, "now": one.now} for one in proposal.moved
        ],
        "reordered": [{"site": visit, "vehicle": truck} for visit, truck in proposal.reordered],
        "undone": [
            {
                "site": one.visit,
                "vehicle": one.vehicle,
                "reason": one.reason,
                "mandatory": one.mandatory,
                "text": _both(one.text),
            }
            for one in proposal.undone
        ],
        "cancelled": list(proposal.cancelled),
        "notes": [_both(note) for note in proposal.notes],
    }


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "de": text.de}


class _Tours:
    """Makes whole tours: what is over as it was published, and what is to come."""

    def __init__(
        self,
        known: Known,
        day: RunningDay,
        proposal: Proposal,
        events: Sequence[EventPart],
        region: Region,
        travel: TravelTimes,
    ) -> None:
        self._known, self._day, self._proposal = known, day, proposal
        self._region, self._travel = region, travel
        self._tours = {tour.vehicle: tour for tour in known.plan.tours}
        self._was = {s.place: s for t in known.plan.tours for s in t.stops if s.kind == "visit"}
        self._service = next(s for s in region.services if s.id == known.plan.service)
        self._urgent = {one.site: one for one in events if isinstance(one, UrgentStopPart)}

    def tour(self, new: NewTour) -> TourRecord:
        old = self._tours.get(new.vehicle)
        running = self._day.tour_of(new.truck)
        over = self._over(old, new, running)
        numbers = _Numbers(old, over, self._highest(old))
        coming = tuple(self._coming(new, numbers)) if new.timed else ()
        stops = (*over, *coming)
        start = old.start if old else self._at(new.timed.start_s if new.timed else 0)
        end = (
            self._at(new.timed.end_s)
            if new.timed
            else max((s.departure for s in over), default=start)
        )
        legs, km = self._way(stops)
        return TourRecord(
            id=old.id if old else f"{self._known.plan.id}-{new.vehicle}",
            plan=self._known.plan.id,
            vehicle=new.vehicle,
            start=start,
            end=max(end, start),
            km=km,
            hours=max(0.0, (end - start).total_seconds() / 3600),
            kg=sum(stop.kg for stop in stops if stop.kind == "visit"),
            trips=sum(stop.kind == "unload" for stop in stops),
            stops=stops,
            geometry=legs,
            attribution=self._travel.info.attribution,
            revision=new.revision,
        )

    def _highest(self, old: TourRecord | None) -> int:
        return self._known.highest.get(old.id, 0) if old else 0

    def _at(self, second: int) -> datetime:
        return instant(self._region, self._known.plan.day, second)

    def _over(
        self, old: TourRecord | None, new: NewTour, running: RunningTour | None
    ) -> tuple[StopRecord, ...]:
        """Return the stops that are over, and the breaks taken before the last of them."""
        if old is None or running is None:
            return ()
        done = set(new.executed)
        taken = {
            one.stop
            for one in self._known.reports
            if one.tour == old.id and one.kind == "break-start"
        }
        return tuple(stop for stop in old.stops if stop.number in done | taken)

    def _coming(self, new: NewTour, numbers: "_Numbers") -> Iterator[StopRecord]:
        timed = new.timed
        if timed is None:
            return
        load = defaultdict(float, self._on_board(new.truck))
        for place, node in enumerate(timed.nodes):
            yield from self._breaks(timed, place, numbers)
            yield self._stop(new.nodes[place], node, load, numbers)
        yield from self._breaks(timed, len(timed.nodes), numbers)

    def _on_board(self, truck: int) -> Mapping[int, float]:
        tour = self._day.tour_of(truck)
        return dict(enumerate(tour.kg)) if tour and tour.left else {}

    def _breaks(self, timed: TimedTour, leg: int, numbers: "_Numbers") -> Iterator[StopRecord]:
        for one in timed.breaks:
            if one.leg == leg:
                yield self._break(one, numbers)

    def _break(self, one: TimedBreak, numbers: "_Numbers") -> StopRecord:
        return StopRecord(
            number=numbers.of("break", one.rule),
            kind="break",
            place=one.rule,
            name=one.rule,
            lon=None,
            lat=None,
            arrival=self._at(one.start_s),
            departure=self._at(one.end_s),
            service_s=one.end_s - one.start_s,
        )

    def _stop(
        self, node: int, timed: TimedNode, load: dict[int, float], numbers: "_Numbers"
    ) -> StopRecord:
        problem = self._proposal.day
        times: dict[str, Any] = {
            "arrival": self._at(timed.arrival_s),
            "departure": self._at(timed.departure_s),
            "service_s": timed.departure_s - timed.start_s,
        }
        if not problem.is_visit(node):
            facility = problem.facility(node)
            declared = next(one for one in self._region.facilities if one.id == facility.id)
            gone = sum(load.pop(fraction, 0.0) for fraction in facility.accepts)
            return StopRecord(
                number=numbers.of("unload", facility.id),
                kind="unload",
                place=facility.id,
                name=declared.name,
                lon=declared.lon,
                lat=declared.lat,
                kg=gone,
                **times,
            )
        visit = problem.visit(node)
        for fraction, kg in enumerate(visit.kg):
            load[fraction] = load.get(fraction, 0.0) + kg
        number = numbers.of("visit", visit.id)
        was = self._was.get(visit.id)
        if was is not None and visit.id not in self._urgent:
            return replace(was, number=number, **times)
        urgent = self._urgent[visit.id]
        site = self._region.site_by_id[visit.id]
        containers = containers_at(self._region, self._service, urgent)
        return StopRecord(
            number=number,
            kind="visit",
            place=site.id,
            name=site.name,
            lon=site.lon,
            lat=site.lat,
            containers=tuple(container.id for container in containers),
            kg=sum(visit.kg),
            litres=sum(visit.litres),
            why=URGENT,
            eur=urgent.worth_eur,
            **times,
        )

    def _way(self, stops: Sequence[StopRecord]) -> tuple[str, float]:
        """Return the way from the depot along all stops and back, and its length in km."""
        depot = next(one for one in self._region.depots if one.id == self._known.plan.depot)
        home = (depot.lon, depot.lat)
        via = [(s.lon, s.lat) for s in stops if s.lon is not None and s.lat is not None]
        if not via:
            return "", 0.0
        curbs = {site.id for site in self._region.sites if site.curb}
        flags = [s.place in curbs for s in stops if s.lon is not None]
        route = self._travel.route(Places.of([home, *via, home], [False, *flags, False]))
        line = np.concatenate(route.legs)
        moves = np.r_[True, (np.diff(line, axis=0) != 0).any(axis=1)]
        return encode(line[moves]), float(np.asarray(route.leg_m).sum()) / 1000


class _Numbers:
    """Gives stops their numbers: the ones they had in this tour, else ones never given before."""

    def __init__(self, old: TourRecord | None, over: Sequence[StopRecord], highest: int) -> None:
        self._free: dict[tuple[str, str], list[int]] = defaultdict(list)
        gone = {stop.number for stop in over}
        for stop in old.stops if old else ():
            if stop.number not in gone:
                self._free[stop.kind, stop.place].append(stop.number)
        self._highest = highest

    def of(self, kind: str, place: str) -> int:
        """Return the number of the next stop of a kind at a place."""
        free = self._free[kind, place]
        if free:
            return free.pop(0)
        self._highest += 1
        return self._highest
