"""Cost over time as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import matplotlib as mpl

from benchmarks.optimizer.instances import OURS

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from benchmarks.optimizer.instances import Instance
    from benchmarks.optimizer.page import Table

COLUMNS = 3
COLOURS = {
    "binround": "#0072b2", "binround-ortools": "#56b4e9", "ortools-default": "#999999",
    "pyvrp": "#d55e00", "vroom": "#009e73",
}  # fmt: skip


def plot(chosen: Sequence[Instance], cells: Table, path: Path) -> bool:
    """Write one picture of the instances at which ours was measured at several budgets.

    Ours is a point per budget (it cools to the time it is given), peers are as they went along.

    Returns:
        Whether there was something to draw.
    """
    shown = [
        instance
        for instance in chosen
        if sum(key[:3] == (instance.group, instance.name, OURS) for key in cells) > 1
    ]
    if not shown:
        return False
    lines = math.ceil(len(shown) / COLUMNS)
    figure, axes = plt.subplots(
        lines, min(COLUMNS, len(shown)), figsize=(4.6 * min(COLUMNS, len(shown)), 3.3 * lines),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis in axes.flat[len(shown) :]:
        axis.axis("off")
    for axis, instance in zip(axes.flat, shown, strict=False):
        _draw(axis, instance, cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return True


def _draw(axis: Axes, instance: Instance, cells: Table) -> None:
    mine = {k[2:]: c for k, c in cells.items() if k[:2] == (instance.group, instance.name)}
    values = []
    for name in dict.fromkeys(solver for solver, _ in mine):
        points = sorted(
            (budget, cell.value)
            for (solver, budget), cell in mine.items()
            if solver == name and cell.value is not None
        )
        if not points:
            continue
        trace: list[list[float]] = []
        if name != OURS and not instance.miles:
            trace = next(c for (s, _), c in mine.items() if s == name).results[0].trace
        axis.plot(
            *zip(*points, strict=True), "o" if name != OURS else "o-", color=COLOURS[name],
            label=name, markersize=4,
        )  # fmt: skip
        if trace:
            axis.step(*zip(*trace, strict=True), where="post", color=COLOURS[name], linewidth=1)
        values += [value for _, value in points]
    known = instance.best_known()
    if known is not None:
        axis.axhline(known, color="black", linestyle=":", linewidth=1, label="best published")
    lowest = min([*values, *([known] if known is not None else [])], default=1.0)
    axis.set_ylim(lowest * 0.98, lowest * 1.2)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_title(f"{instance.group} {instance.name}", fontsize=9)
    axis.set_xlabel("seconds", fontsize=8)
    axis.set_ylabel("miles" if instance.miles else "cost", fontsize=8)
    axis.tick_params(labelsize=7)
    axis.legend(fontsize=6)
