"""The report's pictures, as SVG that needs nothing from elsewhere."""

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.studies.kpis import KPIS
from simulator.studies.replication import FILL_STEPS
from simulator.studies.results import Results

# Okabe and Ito: told apart with any colour vision.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#999999")
COMPARED = ("km", "hours", "visits", "overflow_h", "total_eur", "co2e_kg")
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "binround",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def colours(results: Results) -> dict[str, str]:
    """Return each policy's colour."""
    names = results.outcomes
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}


def differences(results: Results) -> str:
    """Draw differences from the baseline in percent of it, with their 95 % intervals."""

    def draw(axes: Axes) -> None:
        base = results.summary[results.scenario.compared_with]
        labels = {kpi.name: kpi.label for kpi in KPIS}
        shown = [name for name in COMPARED if base[name].mean > 0]
        offsets = np.linspace(-0.18, 0.18, max(len(results.differences), 1))
        for offset, (policy, figures) in zip(offsets, results.differences.items(), strict=False):
            for row, name in enumerate(shown):
                change, scale = figures[name], 100 / base[name].mean
                mean = scale * change.mean
                low = mean if change.low is None else scale * change.low
                high = mean if change.high is None else scale * change.high
                axes.errorbar(
                    mean,
                    row + offset,
                    xerr=[[mean - low], [high - mean]],
                    fmt="o",
                    color=colours(results)[policy],
                    capsize=3,
                    label=policy if row == 0 else None,
                )
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks(range(len(shown)), [labels[name] for name in shown])
        axes.invert_yaxis()
        axes.set_xlabel(f"Difference from {results.scenario.compared_with}, %")
        axes.legend(frameon=False)

    return _svg(draw, 7.5, 3.6)


def trade_off(results: Results) -> str:
    """Draw what collection costs against how long containers overflow, a point a world."""

    def draw(axes: Axes) -> None:
        for policy, outcomes in results.outcomes.items():
            axes.scatter(
                [outcome.figures["collection_eur"] for outcome in outcomes],
                [outcome.figures["overflow_h"] for outcome in outcomes],
                color=colours(results)[policy],
                label=policy,
            )
        axes.set_xlabel("Collection, €")
        axes.set_ylabel("Overflow, container-hours")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)

    return _svg(draw, 4.6, 3.4)


def fills(results: Results) -> str:
    """Draw how full containers were when they were emptied."""

    def draw(axes: Axes) -> None:
        for policy, outcomes in results.outcomes.items():
            counts = np.sum([outcome.fill_counts for outcome in outcomes], axis=0)
            share = 100 * counts / max(counts.sum(), 1)
            axes.stairs(share, 100 * FILL_STEPS, color=colours(results)[policy], label=policy)
        axes.axvline(100, color="black", linewidth=0.8, linestyle=":")
        axes.set_xlabel("Fill when emptied, %")
        axes.set_ylabel("Share of emptyings, %")
        axes.legend(frameon=False)

    return _svg(draw, 4.6, 3.4)


def weeks(results: Results) -> str:
    """Draw the distance of each week, mean over the worlds."""

    def draw(axes: Axes) -> None:
        for policy, outcomes in results.outcomes.items():
            km = np.mean([outcome.weekly_km for outcome in outcomes], axis=0)
            numbers = np.arange(1, len(km) + 1)
            axes.plot(numbers, km, "o-", color=colours(results)[policy], label=policy)
        axes.set_xticks(range(1, results.scenario.weeks + 1, 1 + results.scenario.weeks // 13))
        axes.set_xlabel("Week")
        axes.set_ylabel("Distance, km")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)

    return _svg(draw, 7.5, 2.6)


def _svg(draw: Callable[[Axes], None], width_in: float, height_in: float) -> str:
    with mpl.rc_context(_STYLE):
        figure = Figure((width_in, height_in), layout="constrained")
        draw(figure.add_subplot())
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
