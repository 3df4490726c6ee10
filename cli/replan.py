"""Answer what happened during a published plan's day."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.plan import prepare
from config.clock import open_clock
from config.region import Region
from config.region_folder import load_region
from config.settings import load_settings
from jobs.plan_day import open_travel
from jobs.replan import BUDGET_S, ReplanOrder, run
from jobs.replan_record import told
from optimizer.formats.event_json import parse_event_text
from optimizer.replan import Proposal
from storage import replans
from storage.database import open_database


def command(
    plan: Annotated[str, typer.Option(help="The published plan.")],
    event: Annotated[
        list[str],
        typer.Option(
            help="What happened: `breakdown:VEHICLE`, `truck-full:VEHICLE`, "
            "`facility-closed:FACILITY`, `urgent-stop:SITE`, `cancel-stop:SITE`, or JSON as in "
            "the API (closures, driver swaps). May be given several times."
        ),
    ],
    region: Annotated[
        str | None, typer.Option(help="A name or folder; else the setting BINROUND_REGION.")
    ] = None,
    budget: Annotated[float, typer.Option(min=0.1, help="Seconds to search.")] = BUDGET_S,
    accept: Annotated[
        bool, typer.Option("--accept", help="Change the tours and send them at once.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Propose how to go on after an event; nothing changes before the proposal is accepted."""
    settings = load_settings(**({"region": region} if region else {}))
    facts = load_region(settings.region)
    order = ReplanOrder(plan, tuple(parse_event_text(text) for text in event))
    clock = open_clock(settings.clock)
    with open_database(settings) as database:
        prepare(database, settings, facts, clock.now())
        travel = open_travel(settings, facts)
        with database.connect() as connection:
            name, proposal = run(connection, facts, travel, order, clock.now(), budget_s=budget)
            if accept:
                replans.accept(connection, name, at=clock.now())
    state = "accepted" if accept else "open"
    if as_json:
        said = {"replan": name, "plan": plan, "state": state, **told(proposal)}
        print(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        show(Console(), name, proposal, facts, state)


def show(console: Console, name: str, proposal: Proposal, facts: Region, state: str) -> None:
    """Print a proposal as people read it."""
    hint = "" if state == "accepted" else "; --accept, or the API, sends it to the trucks"
    console.print(f"[bold]{name}[/]  ({state}{hint})")
    change = proposal.eur_after - proposal.eur_before
    console.print(
        f"{len(proposal.tours)} tours change, {len(proposal.moved)} stops get another truck, "
        f"{len(proposal.reordered)} another place; €{change:+.2f}"
    )
    for tour in proposal.tours:
        later = "" if tour.later_s is None else f", home {tour.later_s / 60:+.0f} min"
        console.print(
            f"[bold]{tour.vehicle}[/]  {len(tour.executed)} stops over, "
            f"{len(tour.nodes)} to come{later}"
        )
    if proposal.moved:
        table = Table("stop", "from", "to", box=None)
        for one in proposal.moved:
            table.add_row(_name(facts, one.visit), one.before or "-", one.now)
        console.print(table)
    for left in proposal.undone:
        console.print(f"[yellow]{left.text.en}[/]")
    for note in proposal.notes:
        console.print(f"[yellow]{note.en}[/]")


def _name(facts: Region, site: str) -> str:
    known: Any = facts.site_by_id.get(site)
    return f"{known.name} ({site})" if known else site
