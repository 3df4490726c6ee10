"""The report of a study: one HTML file that opens anywhere, without a network."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from simulator.studies import plots
from simulator.studies.kpis import KPIS, Interval, Kpi
from simulator.studies.results import Results
from simulator.studies.scenario import PolicySpec

TEMPLATE = "templates/report.html.j2"


def write_report(results: Results, path: Path) -> None:
    """Write the report."""
    path.write_text(render(results), encoding="utf-8")


def render(results: Results) -> str:
    """Return the report."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = files("simulator.studies").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source).render(
        results=results,
        scenario=results.scenario,
        baseline=results.scenario.compared_with,
        kpis=KPIS,
        colours=plots.colours(results),
        verdicts=[*verdicts(results)],
        number=number,
        change=change,
        settings=settings,
        charts={
            name: Markup(draw(results))  # noqa: S704  our own drawing, nothing from outside
            for name, draw in (
                ("differences", plots.differences),
                ("trade_off", plots.trade_off),
                ("fills", plots.fills),
                ("weeks", plots.weeks),
            )
        },
    )


def number(kpi: Kpi, value: float) -> str:
    """Write a figure with its decimals."""
    return f"{value:,.{kpi.decimals}f}".replace(",", "\u202f")


def change(kpi: Kpi, figure: Interval) -> str:
    """Write a difference with its interval."""
    mean = _signed(kpi, figure.mean)
    if figure.low is None or figure.high is None:
        return mean
    return f"{mean} [{_signed(kpi, figure.low)}, {_signed(kpi, figure.high)}]"


def settings(policy: PolicySpec) -> str:
    """Write what a policy is set to."""
    given = policy.model_dump(exclude={"name", "kind"}, exclude_none=True)
    return ", ".join([policy.kind, *(f"{name} {value}" for name, value in given.items())])


def verdicts(results: Results) -> list[dict[str, Any]]:
    """Say in a sentence how each policy differs in what matters most."""
    wanted = [kpi for kpi in KPIS if kpi.name in ("km", "overflow_h", "total_eur")]
    return [
        {"policy": policy, "sentences": [_verdict(kpi, figures[kpi.name]) for kpi in wanted]}
        for policy, figures in results.differences.items()
    ]


def _verdict(kpi: Kpi, figure: Interval) -> str:
    amount = f"{number(kpi, abs(figure.mean))} {kpi.unit}"
    direction = "less" if figure.mean < 0 else "more"
    if figure.low is None:
        return f"{kpi.label}: {amount} {direction} (one world only, so nobody knows how certain)"
    if not figure.clear:
        return f"{kpi.label}: no clear difference ({change(kpi, figure)} {kpi.unit})"
    return f"{kpi.label}: {amount} {direction} ({change(kpi, figure)})"


def _signed(kpi: Kpi, value: float) -> str:
    sign = "+" if value >= 0 else "−"
    return sign + number(kpi, abs(value))
