"""Why a container is emptied or not, from a plan's kept explanation."""

import json
from typing import Annotated, Any

import typer

from config.errors import PlanError
from config.region_folder import load_region
from config.settings import load_settings
from optimizer.explain import Language
from storage import basis
from storage.database import open_database
from storage.migrate import require_schema


def command(
    plan: Annotated[str, typer.Argument(help="The plan's id, as `binround plan` prints it.")],
    what: Annotated[
        str | None,
        typer.Argument(metavar="[SITE|CONTAINER|VEHICLE]", help="Only this one; else all."),
    ] = None,
    language: Annotated[str, typer.Option(help="`en` or `de`.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say why a site is visited, left out or waits, what that costs, and what would change it.

    For a vehicle: its hours, its load by trip and compartment, and what is left of each rule.
    """
    if language not in ("en", "de"):
        raise PlanError(f"--language {language!r}: use en or de")
    settings = load_settings()
    with open_database(settings) as database:
        require_schema(database)
        with database.connect() as connection:
            told = basis.explanation(connection, plan)
    if told is None:
        raise PlanError(f"there is no plan {plan!r} with an explanation; see `binround plan`")
    if what is not None:
        told = only(told, what, _site_of(settings.region, what))
        if not told["sites"] and not told["tours"]:
            raise PlanError(f"plan {plan!r} knows no site, container or vehicle {what!r}")
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(told, "de" if language == "de" else "en")))


def only(told: dict[str, Any], what: str, site: str | None = None) -> dict[str, Any]:
    """Return what an explanation says about one site, container or vehicle.

    A container of a site that is visited for another one is told with that one.
    """
    exact = [one for one in told["sites"] if what == one["site"] or what in one["containers"]]
    around = [one for one in told["sites"] if site is not None and one["site"] == site]
    return {
        **told,
        "obstacles": [],
        "sites": exact or around,
        "tours": [one for one in told["tours"] if one["vehicle"] == what],
    }


def lines(told: dict[str, Any], language: Language) -> list[str]:
    """Return an explanation as lines of text."""
    text = [one["text"][language] for one in told["obstacles"]]
    for one in told["sites"]:
        who = f", {one['vehicle']}" if one["vehicle"] and one["state"] == "visited" else ""
        names = " ".join(one["containers"])
        text.append(f"{one['site']} ({names}{who}): {one['text'][language]}")
    for tour in told["tours"]:
        text += tour_lines(tour, language)
    return text


def tour_lines(tour: dict[str, Any], language: Language) -> list[str]:
    """Return a tour's figures, its loads and what is left of each rule."""
    head = f"{tour['vehicle']}: {tour['hours']:.1f} h, {tour['km']:.1f} km, {tour['kg']:,.0f} kg"
    trip = "Fuhre" if language == "de" else "trip"
    loads = [
        f"  {trip} {one['trip']}, {', '.join(one['fractions'])}: "
        f"{one['kg']:,.0f}/{one['capacity_kg']:,.0f} kg, "
        f"{one['litres']:,.0f}/{one['capacity_l']:,.0f} l"
        for one in tour["loads"]
        if one["kg"] or one["litres"]
    ]
    return [head, *loads, *(f"  {one['text'][language]}" for one in tour["slacks"])]


def _site_of(region: str, container: str) -> str | None:
    found = (one.site for one in load_region(region).containers if one.id == container)
    return next(found, None)
