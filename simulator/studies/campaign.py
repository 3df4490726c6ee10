"""All policies in all worlds, on several processes."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial

from config.cores import cores
from config.errors import SolverError
from config.lifetime import die_with_parent
from optimizer.model import Problem, Solution
from optimizer.solve import solve
from optimizer.solve.engines import RuinAndRecreate
from simulator.studies.base import Base
from simulator.studies.policies import policy_of
from simulator.studies.replication import Outcome, replicate
from simulator.studies.scenario import PolicySpec, Scenario

# The search ends by its amount of work, not by the clock, so that a study can be repeated.
_NO_LIMIT_S = 3600.0

_shared: list[tuple[Base, Scenario]] = []  # of a worker process, set when it starts


def run_campaign(
    base: Base, scenario: Scenario, seeds: Sequence[int], workers: int = 0
) -> Iterator[Outcome]:
    """Play every policy in every world; yields outcomes as they come, in no certain order.

    Args:
        base: region and roads.
        scenario: weeks and policies.
        seeds: the worlds.
        workers: processes; 0 takes as many as there are cores for this process.

    Raises:
        SolverError: a process died.
    """
    tasks = [(policy, seed) for seed in seeds for policy in scenario.policies]
    count = min(workers or cores(), len(tasks))
    with _pool(base, scenario, count) as pool:
        futures = [pool.submit(_play, policy, seed) for policy, seed in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            raise SolverError(
                "a process of the study died; is there enough memory? Try fewer --workers"
            ) from None


@contextmanager
def _pool(base: Base, scenario: Scenario, count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, and at once when the study is broken off."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(base, scenario),
    )
    try:
        yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start(base: Base, scenario: Scenario) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    if tie := die_with_parent():
        tie()
    _shared[:] = [(base, scenario)]


def _play(spec: PolicySpec, seed: int) -> Outcome:
    base, scenario = _shared[0]
    policy = policy_of(spec, base.service)
    router = partial(_route, seed=seed, effort=scenario.effort)
    return replicate(base, scenario, policy, spec.name, seed, router)


def _route(problem: Problem, seed: int, effort: float) -> Solution:
    return solve(problem, _NO_LIMIT_S, seed, effort=effort, engines=(RuinAndRecreate(),))
