"""Compiling ahead, so that nobody who waits for a plan waits for the compiler."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
from time import monotonic

import numpy as np

from config.lifetime import die_with_parent
from optimizer.model import BreakRule, Compartment, Facility, Problem, TimeWindow, Truck, Visit
from optimizer.solve.sisr.cache import COMPLETE, available, code_folder, is_warm

NICE = 15  # plans come first, from the slower search as long as this takes

log = logging.getLogger(__name__)


def warm_up() -> bool:
    """Compile whatever is not compiled yet; return whether the quick search is there.

    Takes up to a minute of one core, once per version and machine; nothing when all is there. Of
    several processes that come here at once one compiles, and the others wait for it.
    """
    if is_warm():
        return True
    if not available:
        log.warning("numba is missing: plans come from the slower search; install numba")
        return False
    began = monotonic()
    code_folder().mkdir(parents=True, exist_ok=True)
    with (code_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_warm():
            _compile()
            (code_folder() / COMPLETE).touch()
            log.info("the search was compiled in %.0f s", monotonic() - began)
    return True


def warm_up_aside() -> subprocess.Popen[bytes] | None:
    """Compile in a process of its own, after everybody else; None where nothing is to be done.

    The process dies with the thread that calls this.
    """
    if is_warm() or not available:
        warm_up()  # says so where numba is missing
        return None
    tie = die_with_parent()

    def prepare() -> None:
        os.nice(NICE)
        if tie is not None:
            tie()

    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(command, preexec_fn=prepare)


def _compile() -> None:
    from optimizer.model import Solution
    from optimizer.solve.facts import Facts
    from optimizer.solve.route import Builder
    from optimizer.solve.sisr.arrays import arrays_of
    from optimizer.solve.sisr.engine import CompiledSearch
    from optimizer.solve.sisr.plan import mended

    builder = Builder(Facts(_example()))
    CompiledSearch().search(builder, Solution(()), monotonic() + 600.0, 0, 0.01)
    P, _ = arrays_of(builder.facts)  # noqa: N806
    mended(P, {0: np.arange(P.visits, dtype=np.int32)})  # too much for one truck


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


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    warm_up()
