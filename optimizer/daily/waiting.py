"""Sites that wait: what emptying them in the finished plan would have added."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.daily.decision import Decision
from optimizer.daily.problem import DayProblem, visit_of
from optimizer.daily.snapshot import DaySnapshot
from optimizer.model import Problem, Solution, Tour
from optimizer.road_times import TravelTimes
from optimizer.selection import Candidate, site_visit
from optimizer.solve.costing import Insertions
from optimizer.solve.facts import Facts
from optimizer.solve.insertion import TRIES
from optimizer.solve.route import Builder

MOST_SITES = 600  # whose cost is worked out, the most valuable first


@dataclass(frozen=True, slots=True)
class Waiting:
    """A site that nobody has to visit today.

    Attributes:
        containers: what would be emptied there: what joins a visit, or else what is fullest.
        cost_eur: what the visit would add to the tours, judged; None where it does not fit in,
            or where it was not worked out.
        vehicle: whose tour it would join.
    """

    site: str
    containers: tuple[int, ...]
    cost_eur: float | None = None
    vehicle: str | None = None


def waiting_sites(
    snapshot: DaySnapshot,
    day: DayProblem,
    solution: Solution,
    decision: Decision,
    travel: TravelTimes,
) -> tuple[Waiting, ...]:
    """Return the sites that are no candidates today, with what visiting them would cost."""
    known = {candidate.site.id for candidate in day.candidates}
    known |= {candidate.site.id for candidate, _ in day.off_road}
    sites = _rest(decision, known)
    asked = sites[:MOST_SITES] if day.problem.trucks and day.problem.blocks is None else []
    costs = _costs(snapshot, day, solution, asked, travel) if asked else {}
    return tuple(
        Waiting(one.site.id, one.containers, *costs.get(one.site.id, (None, None))) for one in sites
    )


def _rest(decision: Decision, known: set[str]) -> list[Candidate]:
    """Return visits to all other sites, the most valuable first."""
    choice, outlook = decision.choice, decision.outlook
    by_site: dict[str, list[int]] = {}
    for index, container in enumerate(outlook.containers):
        if container.site not in known:
            by_site.setdefault(container.site, []).append(index)
    found = []
    for name, containers in by_site.items():
        joining = [index for index in containers if choice.take[index]]
        fullest = max(containers, key=lambda index: (choice.prize_eur[index], outlook.level[index]))
        found.append(site_visit(name, joining or [fullest], outlook, decision.occasion))
    return sorted(found, key=lambda one: -float(choice.prize_eur[list(one.containers)].sum()))


def _costs(
    snapshot: DaySnapshot,
    day: DayProblem,
    solution: Solution,
    sites: Sequence[Candidate],
    travel: TravelTimes,
) -> dict[str, tuple[float, str]]:
    """Return what each site would add, and to whose tour."""
    places = replace(
        day.places,
        lon_lat=np.concatenate([day.places.lon_lat, [(s.site.lon, s.site.lat) for s in sites]]),
        curb=np.concatenate([day.places.curb, [s.site.curb for s in sites]]),
    )
    reached = travel.snap(places).ok[len(day.places) :]
    sites = [one for one, ok in zip(sites, reached, strict=True) if ok]
    places = places.take([*range(len(day.places)), *len(day.places) + np.flatnonzero(reached)])
    matrix = travel.matrix(places)
    problem = day.problem
    before, count = len(problem.visits), len(sites)
    larger = problem.replace(
        visits=(
            *problem.visits,
            *(
                visit_of(snapshot, one, len(day.places) + row, day.vehicles)
                for row, one in enumerate(sites)
            ),
        ),
        duration_s=matrix.duration_s,
        distance_m=matrix.distance_m,
    )
    builder = Builder(Facts(larger))
    tours = {tour.truck: tour for tour in solution.tours}
    built = [
        builder.build(truck, _renumbered(problem, tours[truck], count)) if truck in tours else None
        for truck in range(len(problem.trucks))
    ]
    insertions = Insertions(builder, built, TRIES)
    found = {}
    for row, one in enumerate(sites):
        best = insertions.cheapest(before + row)
        if best is not None:
            found[one.site.id] = (best.extra_eur, problem.trucks[best.route.truck].id)
    return found


def _renumbered(problem: Problem, tour: Tour, more: int) -> tuple[int, ...]:
    """Return a tour's nodes where so many visits more come before the facilities."""
    return tuple(node if problem.is_visit(node) else node + more for node in tour.nodes)
