"""Plan the tours of a day."""

import json
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config.clock import open_clock
from config.errors import PlanError
from config.region import Region, Service
from config.region_folder import load_region
from config.settings import Settings, load_settings
from jobs.plan_day import PlanOrder, open_travel, run
from jobs.snapshot import coming_day, depot_of, service_of
from optimizer.certify import write_csv
from optimizer.certify.json_file import parse_json
from optimizer.daily import (
    DayPlan,
    LeftOut,
    PlannedStop,
    PlannedTour,
    explanation_document,
    instant,
    require_collection_day,
)
from optimizer.explain import REASONS, explain_obstacle, explain_slack
from optimizer.policies import policy_named
from storage import assets, migrate
from storage.database import Database, open_database

SLACKS = 4  # rules named under a tour, the tightest ones
_NEXT = "the next collection day"


def command(
    day: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", show_default=_NEXT, help="Which day."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="A name or folder; else the setting BINROUND_REGION.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(help="Which service, where there are several.")
    ] = None,
    depot: Annotated[str | None, typer.Option(help="Which depot, where there are several.")] = None,
    policy: Annotated[
        str,
        typer.Option(
            help="`risk`, `horizon:3` (collection days), `threshold:80` (percent) or "
            "`calendar:10` (days)."
        ),
    ] = "risk",
    budget: Annotated[
        float | None, typer.Option(min=0.5, help="Seconds to search; else BINROUND_PLAN_BUDGET_S.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the search.")] = 0,
    publish: Annotated[
        bool, typer.Option("--publish", help="Send the tours to the trucks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print one row for each stop, see docs/certificate.md.")
    ] = False,
) -> None:
    """Plan the tours of a day; the plan is kept as a draft unless it is published."""
    settings = load_settings(**({"region": region} if region else {}))
    facts = load_region(settings.region)
    chosen = service_of(facts, service)
    now = open_clock(settings.clock).now()
    order = PlanOrder(
        day=_day(day, facts, chosen, now),
        service=chosen.id,
        depot=depot_of(facts, chosen, depot).id,
        publish=publish,
        policy=policy_named(policy),
        seed=seed,
    )
    require_collection_day(facts, chosen, order.day)
    with open_database(settings) as database:
        prepare(database, settings, facts, now)
        travel = open_travel(settings, facts)
        with database.connect() as connection:
            name, plan = run(connection, settings, facts, travel, order, now, budget_s=budget)
    if as_csv:
        print(table(name, plan, facts), end="")
    elif as_json:
        print(json.dumps(summary(name, plan, order.publish), indent=2, ensure_ascii=False))
    else:
        show(Console(), name, plan, order.publish, now)


def prepare(database: Database, settings: Settings, region: Region, now: datetime) -> None:
    """Make sure that the schema is there, and that the registry knows the region.

    Raises:
        DatabaseError: somebody else's database lacks migrations.
    """
    if settings.embedded_database:
        migrate.migrate(database)
    else:
        migrate.require_schema(database)
    with database.connect() as connection:
        assets.load_region(connection, region, at=now, server_user=settings.broker_user)


def _day(text: str | None, region: Region, service: Service, now: datetime) -> date:
    if text is None:
        return coming_day(region, service, now)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PlanError(f"--date {text!r} is no day; write it as {now:%Y-%m-%d}") from None


def show(console: Console, name: str, plan: DayPlan, published: bool, now: datetime) -> None:
    """Print a plan as people read it."""
    snapshot = plan.snapshot
    state = "published" if published else "draft; --publish sends it to the trucks"
    console.print(
        f"[bold]{name}[/]  {snapshot.service.name_en}, {snapshot.depot.name}, "
        f"{snapshot.day:%A %d %B %Y}  ({state})"
    )
    if plan.snapshot.decided_at < now:
        console.print("[yellow]This day is over; planned as it would have been then.[/]")
    if plan.travel.estimate:
        console.print("[yellow]Travel times are estimates from straight lines.[/]")
    console.print(_totals(plan))
    for one in plan.obstacles:
        console.print(f"[yellow]{escape(explain_obstacle(one).en)}[/]")
    for tour in plan.tours:
        console.print(
            f"\n[bold]{tour.vehicle}[/]  {_clock(tour.start_s)}-{_clock(tour.end_s)}  "
            f"{tour.km:.1f} km  {tour.hours:.1f} h  {tour.kg:,.0f} kg in {tour.trips} trips  "
            f"€{tour.eur:.2f}  {tour.fuel_l:.0f} l  {tour.co2e_kg:.0f} kg CO2e"
        )
        table = Table("#", "time", "stop", "containers", "kg", "load", "worth", "adds", box=None)
        for stop in tour.stops:
            why = stop.why
            table.add_row(
                str(stop.number),
                f"{_clock(stop.start_s)}-{_clock(stop.departure_s)}",
                stop.name if stop.kind == "visit" else f"[dim]{stop.kind}: {stop.name}[/]",
                " ".join(stop.containers),
                f"{stop.kg:,.0f}" if stop.kind != "break" else "",
                f"{stop.load_kg:,.0f}",
                ("due" if why.prize_eur is None else f"€{why.prize_eur:.0f}") if why else "",
                f"€{why.marginal_eur:.2f}" if why else "",
            )
        console.print(table)
        console.print(f"[dim]{_tightest(tour)}[/]")
    _show_left_out(console, plan)
    console.print(f"\n[dim]binround explain {name} SITE says why, and what would change it[/]")
    if credit := _credit(plan):
        console.print(f"\n[dim]{credit}[/]")


def _tightest(tour: PlannedTour) -> str:
    """Return what is left of the rules that a tour comes nearest to."""
    near = sorted(tour.slacks, key=lambda one: one.left / max(one.limit, 1.0))[:SLACKS]
    return "left: " + "; ".join(explain_slack(one).en for one in near)


def _credit(plan: DayPlan) -> str:
    """Return whom to thank for the places and roads of a plan."""
    return plan.snapshot.region.attribution or plan.travel.attribution


def _show_left_out(console: Console, plan: DayPlan) -> None:
    """Print the sites in question that are not served, under the reason they share."""
    by_reason: dict[str, list[LeftOut]] = {}
    for one in plan.left_out:
        due = "due" if one.prize_eur is None else "optional"
        by_reason.setdefault(f"{one.reason.value}, {due}", []).append(one)
    if by_reason:
        console.print(f"\n[bold]Not served[/]  {len(plan.left_out)} of the sites in question")
    for reason, group in by_reason.items():
        said = REASONS[group[0].reason].en
        names = ", ".join(
            one.name if one.prize_eur is None else f"{one.name} (€{one.prize_eur:.0f})"
            for one in sorted(group, key=lambda one: -(one.prize_eur or 0.0))
        )
        console.print(f"[bold]{reason}[/] {said}: {names}")


def _totals(plan: DayPlan) -> str:
    waiting = len(plan.snapshot.containers) - len(plan.emptied)
    return (
        f"{len(plan.tours)} tours, {len(plan.emptied)} containers at "
        f"{sum(s.kind == 'visit' for t in plan.tours for s in t.stops)} sites, {plan.km:.1f} km, "
        f"{plan.hours:.1f} h, {plan.kg:,.0f} kg, €{plan.cost.total_eur:.2f}; "
        f"{waiting} containers wait"
    )


def table(name: str, plan: DayPlan, region: Region) -> str:
    """Return a plan as CSV, one row for each stop, as `binround check --region` reads it."""
    told = summary(name, plan, published=False)
    return write_csv(parse_json(told, name, region.time_zone))


def summary(name: str, plan: DayPlan, published: bool) -> dict[str, object]:
    """Return a plan as JSON values; times are instants in UTC."""
    snapshot = plan.snapshot

    def at(second: int) -> str:
        return instant(snapshot.region, snapshot.day, second).astimezone(UTC).isoformat()

    return {
        "plan": name,
        "state": "published" if published else "draft",
        "region": snapshot.region.id,
        "service": snapshot.service.id,
        "depot": snapshot.depot.id,
        "day": snapshot.day.isoformat(),
        "policy": plan.decision.policy,
        "engine": plan.solution.engine,
        "seed": plan.solution.seed,
        "estimate": plan.travel.estimate,
        "attribution": _credit(plan),
        "containers_emptied": len(plan.emptied),
        "km": round(plan.km, 3),
        "hours": round(plan.hours, 3),
        "kg": round(plan.kg, 1),
        "eur": round(plan.cost.total_eur, 2),
        "violations": len(plan.report.violations),
        "tours": [
            {
                "vehicle": tour.vehicle,
                "start": at(tour.start_s),
                "end": at(tour.end_s),
                "km": round(tour.km, 3),
                "hours": round(tour.hours, 3),
                "kg": round(tour.kg, 1),
                "trips": tour.trips,
                "eur": round(tour.eur, 2),
                "fuel_l": round(tour.fuel_l, 2),
                "co2e_kg": round(tour.co2e_kg, 2),
                "stops": [
                    {
                        "number": stop.number,
                        "kind": stop.kind,
                        "id": stop.id,
                        "name": stop.name,
                        "arrival": at(stop.arrival_s),
                        "start": at(stop.start_s),
                        "departure": at(stop.departure_s),
                        "containers": list(stop.containers),
                        "kg": round(stop.kg, 1),
                        "load_kg": round(stop.load_kg, 1),
                        **_by_fraction(plan, stop),
                        "why": {"en": stop.why.text.en, "de": stop.why.text.de}
                        if stop.why
                        else None,
                    }
                    for stop in tour.stops
                ],
            }
            for tour in plan.tours
        ],
        "unserved": [
            {
                "site": one.site,
                "containers": list(one.containers),
                "reason": one.reason.value,
                "prize_eur": one.prize_eur,
                "extra_eur": one.extra_eur,
                "why": {"en": one.text.en, "de": one.text.de},
            }
            for one in plan.left_out
        ],
        "explanation": explanation_document(plan),
    }


def _by_fraction(plan: DayPlan, stop: PlannedStop) -> dict[str, dict[str, float]]:
    """Return what a visit collects of each fraction, so that compartments can be judged."""
    if stop.kind != "visit":
        return {}
    problem = plan.day.problem
    visit = problem.visit(problem.node_of(stop.id))
    return {
        name: {
            fraction: round(amount, 1)
            for fraction, amount in zip(problem.fractions, amounts, strict=True)
            if amount > 0
        }
        for name, amounts in (("kg_by_fraction", visit.kg), ("litres_by_fraction", visit.litres))
    }


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
