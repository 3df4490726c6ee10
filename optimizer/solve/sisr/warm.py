"""Compiling ahead, so that nobody who waits for a plan waits for the compiler."""

from __future__ import annotations

import logging
from time import monotonic

import numpy as np

from optimizer.model import BreakRule, Compartment, Facility, Problem, TimeWindow, Truck, Visit
from optimizer.solve.sisr.compiled import available, code_folder

log = logging.getLogger(__name__)


def is_warm() -> bool:
    """Whether all code is compiled already; loading it then takes a fraction of a second."""
    return available and (code_folder() / "complete").exists()


def warm_up() -> bool:
    """Compile whatever is not compiled yet; return whether the quick search is there.

    Takes up to a minute of one core, once per version and machine; nothing when all is there.
    """
    if is_warm():
        return True
    if not available:
        log.warning("numba is missing: plans come from the slower search; install numba")
        return False
    from optimizer.model import Solution
    from optimizer.solve.facts import Facts
    from optimizer.solve.route import Builder
    from optimizer.solve.sisr.engine import CompiledSearch

    began = monotonic()
    example = _example()
    builder = Builder(Facts(example))
    CompiledSearch().search(builder, Solution(()), began + 600.0, 0, 1.0)
    code_folder().mkdir(parents=True, exist_ok=True)
    (code_folder() / "complete").touch()
    log.info("the search was compiled in %.0f s", monotonic() - began)
    return True


def _example() -> Problem:
    """Return a small day that needs every function of the search."""
    places = np.arange(8.0)
    metres = np.abs(places[:, None] - places[None]) * 500.0
    visits = tuple(
        Visit(f"visit-{n}", 2 + n, (100.0,), (1000.0,), 60, (TimeWindow(0, 80_000),),
              None if n % 2 else 30.0)
        for n in range(6)
    )  # fmt: skip
    yard = Facility("yard", 1, frozenset({0}), 600, (TimeWindow(0, 80_000),))
    trucks = tuple(
        Truck(
            f"truck-{n}", 0, 0, TimeWindow(20_000, 60_000),
            (Compartment(frozenset({0}), 1000.0, 2000.0),), 1000.0,
            (BreakRule("break", 1800, 21_000, 50_000, 0),), None, None, 4000.0,
            fixed_eur=10.0, eur_per_km=1.0, eur_per_h=50.0,
        )
        for n in range(3)
    )  # fmt: skip
    return Problem(("waste",), visits, (yard,), trucks, (metres / 8).astype(np.int64), metres)
