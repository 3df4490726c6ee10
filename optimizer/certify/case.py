"""A given tour beside the region's facts: what it is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise

from config.errors import PlanError
from config.law import Law
from config.region import Region, RuleProfile, Service, Vehicle
from config.region_source import suggestion
from optimizer.certify.finder import Finder
from optimizer.certify.given import Action, GivenStop, GivenTour
from optimizer.certify.stop import Stop
from optimizer.certify.timeline import Road, Timeline, is_place, timeline
from optimizer.model import UNREACHABLE
from optimizer.road_times import Places, TravelTimes


@dataclass(frozen=True, eq=False)
class Case:
    """A tour to be judged.

    Attributes:
        vehicle: None when the region has none of this name.
        services: whose rules bind it.
        timeline: None where the plan lacks times.
        stops: from the depot to the depot.
        roads: the way to each place among them; see `timeline`.
        real_roads: whether they come from a road network, and are no estimate.
    """

    given: GivenTour
    finder: Finder
    law: Law
    vehicle: Vehicle | None
    services: tuple[Service, ...]
    stops: tuple[Stop, ...]
    roads: tuple[Road | None, ...]
    real_roads: bool
    timeline: Timeline | None

    @property
    def region(self) -> Region:
        """The facts that it is judged by."""
        return self.finder.region

    @property
    def name(self) -> str:
        """Name of the tour."""
        return self.given.name

    @property
    def day(self) -> date:
        """Its day."""
        return self.given.day

    @property
    def times(self) -> Timeline:
        """The tour on the clock.

        Raises:
            ValueError: the plan lacks times; judge such a tour by other rules.
        """
        if self.timeline is None:
            raise ValueError(f"tour {self.name} has no times")
        return self.timeline

    @property
    def team(self) -> str:
        """Whose driving and rest it counts for: the team's, else that of the vehicle's crew."""
        return self.given.team or f"crew of {self.given.vehicle}"

    @property
    def eu561(self) -> bool:
        """Whether the law on driving times binds it."""
        return any(service.rule_profile is RuleProfile.EU561 for service in self.services)

    @cached_property
    def collects(self) -> tuple[Stop, ...]:
        """The stops at which something is collected."""
        return tuple(stop for stop in self.stops if stop.action is Action.COLLECT)

    @cached_property
    def unloads(self) -> tuple[Stop, ...]:
        """The stops at which the truck unloads."""
        return tuple(stop for stop in self.stops if stop.action is Action.UNLOAD)

    def services_at(self, stop: Stop) -> tuple[Service, ...]:
        """Return the services whose waste is collected at a stop; the tour's if that is open."""
        found = [one for one in self.services if stop.fractions & set(one.fractions)]
        return tuple(found) or self.services


def cases(
    tours: tuple[GivenTour, ...], region: Region, law: Law, travel: TravelTimes | None
) -> tuple[Case, ...]:
    """Find everything that the tours name in a region.

    Raises:
        PlanError: a tour names a service or fraction that the region does not have.
    """
    finder = Finder(region)
    services = [service.id for service in region.services]
    for tour in tours:
        _require(tour, "service", {tour.service} if tour.service else set(), services)
        fractions = {
            name
            for stop in tour.stops
            for name in (*stop.kg_by, *stop.litres_by, *([stop.fraction] if stop.fraction else []))
        }
        _require(tour, "fraction", fractions, list(region.fraction_by_id))
    return tuple(_case(tour, finder, law, travel) for tour in tours)


def _require(tour: GivenTour, kind: str, named: set[str], known: list[str]) -> None:
    """Refuse a plan whose amounts would be overlooked because their name is mistyped."""
    for name in sorted(named - set(known)):
        raise PlanError(
            f"tour {tour.name}: the region has no {kind} {name}{suggestion(name, known)}; "
            f"it has {', '.join(known)}"
        )


def _case(tour: GivenTour, finder: Finder, law: Law, travel: TravelTimes | None) -> Case:
    vehicle = finder.vehicles.get(tour.vehicle)
    stops = finder.stops(_with_ends(tour))
    roads = _roads([stop for stop in stops if is_place(stop)], travel)
    candidates = finder.services_of(tour)
    collected = {name for stop in stops for name in stop.fractions}
    return Case(
        given=tour,
        finder=finder,
        law=law,
        vehicle=vehicle,
        services=tuple(one for one in candidates if collected & set(one.fractions)) or candidates,
        stops=stops,
        roads=roads,
        real_roads=travel is not None and not travel.info.estimate,
        timeline=timeline(stops, roads),
    )


def _with_ends(tour: GivenTour) -> GivenTour:
    """Return a tour that has a start and an end, at times that are not known."""
    stops = tour.stops
    if stops[:1] == () or stops[0].action is not Action.START:
        stops = (GivenStop(Action.START), *stops)
    if stops[-1].action is not Action.END:
        stops = (*stops, GivenStop(Action.END))
    return replace(tour, stops=stops)


def _roads(places: Sequence[Stop], travel: TravelTimes | None) -> tuple[Road | None, ...]:
    """Return the way to each place from the one before; None from or to where nothing is known."""
    roads: list[Road | None] = [None] * len(places)
    at = [index for index, stop in enumerate(places) if stop.point is not None]
    if travel is None or len(at) < 2:
        return tuple(roads)
    found = Places.of(
        [places[index].point for index in at],
        [places[index].at_curb for index in at],
    )
    ok = travel.snap(found).ok
    linked = [row for row in range(len(at)) if ok[row]]
    matrix = travel.matrix(found.take(linked))
    row_of = {row: number for number, row in enumerate(linked)}
    for before, to in pairwise(range(len(at))):
        if at[to] - at[before] != 1:
            continue
        if to not in row_of:
            roads[at[to]] = Road(None, None)
        if to not in row_of or before not in row_of:
            continue
        seconds = int(matrix.duration_s[row_of[before], row_of[to]])
        metres = float(matrix.distance_m[row_of[before], row_of[to]])
        known = seconds != UNREACHABLE
        roads[at[to]] = Road(seconds, metres) if known else Road(None, None)
    return tuple(roads)
