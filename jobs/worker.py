"""The worker: takes jobs from the queue, with the region and its road engine opened once."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from config.clock import Clock
from config.errors import BinroundError
from config.region import Region
from config.settings import Settings
from jobs import plan_day, replan, upkeep
from jobs.believe import believe
from jobs.ground import write_ground
from optimizer.formats.event_json import parse_event
from optimizer.policies import policy_named
from optimizer.road_times import TravelTimes
from optimizer.solve.sisr.warm import warm_up_aside
from storage.database import Database
from storage.migrate import require_schema
from storage.queue import RunningJob, Task, defer, run_worker
from storage.tasks import BELIEVE, PLAN_DAY, REPLAN, UPKEEP

RECURRING: Mapping[str, timedelta] = {BELIEVE: timedelta(minutes=15), UPKEEP: timedelta(days=1)}
POLL_S = 5.0  # so often, in real time, recurring work is thought of

log = logging.getLogger(__name__)


class Desk:
    """What the tasks of one process share."""

    def __init__(
        self, settings: Settings, clock: Clock, region: Region, database: Database
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._region = region
        self._database = database
        self._travel: TravelTimes | None = None
        self._opening = threading.Lock()

    @property
    def tasks(self) -> dict[str, Task]:
        """The tasks by name."""
        return {
            PLAN_DAY: self.plan_day,
            REPLAN: self.replan,
            BELIEVE: self.believe,
            UPKEEP: self.upkeep,
        }

    @property
    def travel(self) -> TravelTimes:
        """The region's roads, opened with the first plan."""
        with self._opening:
            if self._travel is None:
                self._travel = plan_day.open_travel(self._settings, self._region)
            return self._travel

    def plan_day(
        self,
        job: RunningJob,
        day: str,
        service: str | None = None,
        depot: str | None = None,
        publish: bool = False,
        policy: str = "risk",
        seed: int = 0,
    ) -> str:
        """Plan a day; returns the plan's id."""
        now = self._clock.now()
        budget_s = self._settings.plan_budget_s
        if job.deadline is not None:
            budget_s = min(budget_s, max(1.0, (job.deadline - now).total_seconds()))
        order = plan_day.PlanOrder(
            date.fromisoformat(day), service, depot, publish, policy_named(policy), seed
        )
        with self._database.connect() as connection, told(f"plan of {day}"):
            name, plan = plan_day.run(
                connection,
                self._settings,
                self._region,
                self.travel,
                order,
                now,
                budget_s=budget_s,
                fence=job.fence,
                cancelled=job.should_abort,
            )
        log.info("plan %s: %d tours, %.1f km", name, len(plan.tours), plan.km)
        return name

    def replan(self, job: RunningJob, plan: str, events: list[dict[str, Any]]) -> str:
        """Answer events during a plan's day; returns the proposal's id."""
        now = self._clock.now()
        budget_s = replan.BUDGET_S
        if job.deadline is not None:
            budget_s = min(budget_s, max(0.2, (job.deadline - now).total_seconds()))
        order = replan.ReplanOrder(plan, tuple(parse_event(one) for one in events))
        with self._database.connect() as connection, told(f"change of {plan}"):
            name, proposal = replan.run(
                connection,
                self._region,
                self.travel,
                order,
                now,
                budget_s=budget_s,
                fence=job.fence,
            )
        log.info("proposal %s: %d tours change", name, len(proposal.tours))
        return name

    def believe(self, job: RunningJob) -> int:
        """Bring the stored beliefs up to date; returns the number of containers."""
        with self._database.connect() as connection, told("beliefs"):
            return believe(connection, self._region, self._clock.now())

    def upkeep(self, job: RunningJob) -> dict[str, int]:
        """Do the daily work on what is stored; returns what was removed, per table."""
        with told("upkeep"):
            return upkeep.run(
                self._database, self._region, self._clock.now(), self._settings.backup_dir
            )


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell in one line of the log why a job failed; the queue marks it."""
    try:
        yield
    except BinroundError as error:
        log.error("%s: %s", what, error)  # noqa: TRY400
        raise


def serve(
    settings: Settings,
    region: Region,
    clock: Clock,
    database: Database,
    *,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Work until SIGINT or SIGTERM.

    Raises:
        DatabaseError: no database, or its schema is not up to date.
    """
    require_schema(database)
    desk = Desk(settings, clock, region, database)
    ended = threading.Event()
    rota = threading.Thread(target=_keep_rota, args=(database, clock, ended), name="rota")
    rota.start()
    threading.Thread(target=_compile_search, args=(ended,), daemon=True).start()
    threading.Thread(target=write_ground, args=(settings, region), daemon=True).start()
    try:
        on_ready()
        run_worker(database, desk.tasks, concurrency=2)
    finally:
        ended.set()
        rota.join()


def _compile_search(ended: threading.Event) -> None:
    """Have the search compiled beside us; until it is, plans come from the slower one."""
    compiler = warm_up_aside()
    while compiler is not None and compiler.poll() is None:
        if ended.wait(1.0):
            compiler.terminate()
            compiler.wait()
            return
    if compiler is not None and compiler.returncode:
        log.warning(
            "the search could not be compiled (code %d); plans come from the slower one",
            compiler.returncode,
        )


def _keep_rota(database: Database, clock: Clock, ended: threading.Event) -> None:
    """Order recurring work by the clock of the day, simulated or not."""
    last: dict[str, datetime] = {}
    while not ended.is_set():
        now = clock.now()
        for name, every in RECURRING.items():
            if name not in last or now - last[name] >= every:
                try:
                    defer(database, name, once=name, lock=name)
                    last[name] = now
                except Exception as error:  # the database may be away; the next round tries
                    log.warning("%s cannot be ordered: %s", name, error)
        ended.wait(POLL_S)
