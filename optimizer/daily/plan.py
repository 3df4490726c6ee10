"""Plan a day: belief, selection, routing problem, solution, judgement, explanation."""

from collections.abc import Callable, Iterator
from datetime import date
from statistics import mean

from config.errors import PlanError, SolverError
from config.region import Region, Service, seconds_of_day
from optimizer.check import Report, check
from optimizer.daily.decision import Decision
from optimizer.daily.explained import Explainer, Told
from optimizer.daily.problem import DayProblem, build
from optimizer.daily.result import DayPlan, LeftOut, Waits
from optimizer.daily.snapshot import DaySnapshot, instant
from optimizer.daily.tours import planned_tours
from optimizer.daily.usual import usual_eur
from optimizer.daily.waiting import Waiting, waiting_sites
from optimizer.explain import explain_unserved
from optimizer.fill.belief import Belief, learn, prior_belief
from optimizer.fill.evidence import Evidence
from optimizer.fill.forecast import Forecast
from optimizer.model import Problem, Reason, Solution, Unserved
from optimizer.road_times import TravelTimes
from optimizer.selection import (
    Candidate,
    Occasion,
    Policy,
    RiskPriced,
    candidates,
    look_ahead,
)
from optimizer.solve.feasibility import feasibility

Solve = Callable[[Problem], Solution]


def plan_day(
    snapshot: DaySnapshot,
    travel: TravelTimes,
    solve: Solve,
    policy: Policy | None = None,
    *,
    geometry: bool = True,
    explained: bool = True,
) -> DayPlan:
    """Plan a day of a service from one depot.

    Args:
        snapshot: what is known.
        travel: of the region; `SlicedTravel` when many days are planned.
        solve: the router, with its budget and seed already bound.
        policy: what is worth a visit; prices risk when None.
        geometry: whether tours carry their way along the roads.
        explained: whether every decision is told, with what it costs and what would change it;
            studies do without.

    Raises:
        PlanError: the day cannot be planned as asked.
        RoadsError: the depot is not at a road.
        SolverError: the router failed, or its plan breaks a rule.
    """
    belief, decision = assess(snapshot, policy)
    wanted = candidates(decision.outlook, decision.choice, decision.occasion)
    day = build(snapshot, wanted, travel)
    solution = _solve(day.problem, solve)
    report = check(day.problem, solution)
    if report.violations:
        raise SolverError(
            f"the plan for {day.problem.name} is refused, it breaks {len(report.violations)} "
            f"rule(s): {report.violations[0].message}"
        )
    explainer = None
    if explained:
        explainer = Explainer(day, decision, Forecast(belief, snapshot.population))
    tours = planned_tours(day, report, decision, travel if geometry else None, explainer)
    return DayPlan(
        snapshot=snapshot,
        belief=belief,
        decision=decision,
        day=day,
        solution=solution,
        report=report,
        tours=tours,
        left_out=_left_out(day, report, decision, explainer),
        travel=travel.info,
        obstacles=feasibility(day.problem) if explained else (),
        waiting=tuple(_waiting(snapshot, day, report, solution, travel, explainer))
        if explainer
        else (),
    )


def _decide(snapshot: DaySnapshot, occasion: Occasion, belief: Belief, policy: Policy) -> Decision:
    today_s, *chances_s = _chances(snapshot, policy.chances)
    forecast = Forecast(belief, snapshot.population)
    outlook = look_ahead(snapshot.containers, forecast, today_s, chances_s)
    choice = policy.choose(outlook, occasion)
    return Decision(policy, occasion, outlook, choice, today_s, chances_s[0])


def assess(snapshot: DaySnapshot, policy: Policy | None = None) -> tuple[Belief, Decision]:
    """Return what is believed of all containers, and what a policy wants of them today.

    Raises:
        PlanError: the day cannot be planned as asked.
    """
    occasion = _occasion(snapshot)
    belief = believe(snapshot)
    return belief, _decide(snapshot, occasion, belief, policy or RiskPriced())


def believe(snapshot: DaySnapshot) -> Belief:
    """Return what is to be believed of all containers at the decision."""
    before = snapshot.belief or prior_belief(snapshot.population, snapshot.decided_at.timestamp())
    return learn(before, snapshot.population, Evidence.of(snapshot.readings, snapshot.emptyings))


def require_collection_day(region: Region, service: Service, day: date) -> None:
    """Make sure that a service runs on a day.

    Raises:
        PlanError: it does not; the message names the reason and the next day.
    """
    if not region.is_collection_day(service, day):
        why = region.holidays.get(day) or f"a {day:%A}"
        raise PlanError(
            f"{day} is no collection day of {service.id} ({why}); "
            f"the next one is {region.next_collection_day(service, day)}"
        )


def _occasion(snapshot: DaySnapshot) -> Occasion:
    region, service, day = snapshot.region, snapshot.service, snapshot.day
    require_collection_day(region, service, day)
    if not snapshot.containers:
        raise PlanError(
            f"depot {snapshot.depot.id} has no containers of {service.id}; "
            "add some to the region's containers file"
        )
    if not snapshot.vehicles:
        raise PlanError(
            f"depot {snapshot.depot.id} has no vehicle for {service.id} on {day}; "
            "add one to vehicles.toml or make one available"
        )
    vehicles = snapshot.vehicles
    usual = usual_eur(region, service, snapshot.containers, vehicles)
    return Occasion(
        region,
        service,
        day,
        eur_per_h=mean(one.eur_per_h for one in vehicles),
        usual_eur=usual,
        eur_per_km=mean(one.eur_per_km for one in vehicles),
        fixed_eur=mean(one.fixed_eur_per_day for one in vehicles),
        trucks_s=float(
            sum(seconds_of_day(v.shift_end) - seconds_of_day(v.shift_start) for v in vehicles)
        ),
    )


def _chances(snapshot: DaySnapshot, count: int) -> list[float]:
    """Return when collection begins today and on the next possible days, in epoch seconds.

    A decision that is taken during the day looks from its own instant.
    """
    region, service = snapshot.region, snapshot.service
    opens = seconds_of_day(service.earliest)
    today = instant(region, snapshot.day, opens).timestamp()
    chances, day = [max(today, snapshot.decided_at.timestamp())], snapshot.day
    for _ in range(count):
        day = region.next_collection_day(service, day)
        chances.append(instant(region, day, opens).timestamp())
    return chances


def _solve(problem: Problem, solve: Solve) -> Solution:
    if not problem.visits:
        return Solution((), engine="none: nothing to do")
    if not problem.trucks:
        nobody = tuple(Unserved(visit, Reason.NO_TRUCK) for visit in range(len(problem.visits)))
        return Solution((), nobody, engine="none: no truck")
    return solve(problem)


def _left_out(
    day: DayProblem, report: Report, decision: Decision, explainer: Explainer | None
) -> tuple[LeftOut, ...]:
    def left(candidate: Candidate, entry: Unserved) -> LeftOut:
        plain = explain_unserved(entry.reason, candidate.prize_eur, entry.extra_eur)
        told = explainer.left_out(candidate, entry) if explainer else Told(plain)
        return LeftOut(
            site=candidate.site.id,
            name=candidate.site.name,
            containers=decision.container_ids(candidate.containers),
            reason=entry.reason,
            prize_eur=candidate.prize_eur,
            extra_eur=entry.extra_eur,
            short=entry.short,
            text=told.text,
            turns_at=told.turns_at,
        )

    return (
        *(left(day.candidates[one.visit], one) for one in report.unserved),
        *(left(candidate, Unserved(-1, Reason.UNREACHABLE)) for candidate, _ in day.off_road),
    )


def _waiting(
    snapshot: DaySnapshot,
    day: DayProblem,
    report: Report,
    solution: Solution,
    travel: TravelTimes,
    explainer: Explainer,
) -> Iterator[Waits]:
    """Yield the containers that are neither emptied nor left out, with their sites' costs."""
    decision = explainer.decision
    asked = {index for candidate in day.candidates for index in candidate.containers}
    asked |= {index for candidate, _ in day.off_road for index in candidate.containers}
    sites = waiting_sites(snapshot, day, solution, decision, travel)
    by_site = {one.site: one for one in sites}
    visited = {
        day.problem.node_id(node.node): tour.vehicle
        for tour in report.tours
        for node in tour.nodes
        if day.problem.is_visit(node.node)
    }
    outlook, choice = decision.outlook, decision.choice
    for index, container in enumerate(outlook.containers):
        if index in asked:
            continue
        own = by_site.get(container.site, Waiting(container.site, (index,)))
        extra_eur, vehicle, told = own.cost_eur, own.vehicle, explainer.waiting(own, index)
        if container.site in visited:
            extra_eur, vehicle = decision.occasion.container_eur, visited[container.site]
            told = explainer.stays(index)
        yield Waits(
            container=container.id,
            site=container.site,
            level=float(outlook.level[index]),
            p_overflow=float(outlook.p_overflow[index]),
            prize_eur=float(choice.prize_eur[index]),
            extra_eur=None if extra_eur is None else round(extra_eur, 2),
            vehicle=vehicle,
            turns_at=told.turns_at,
            text=told.text,
        )
