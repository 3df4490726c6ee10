"""Plays a simulated region on the real system: live for a person, or a day as fast as it goes."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path

import httpx

from cli.account import duties, published_on, take_account
from cli.children import Child, Children
from cli.data_folder import claim
from cli.screen import Screen
from cli.stack import Stack, raise_stack
from config.clock import RealClock, SharedClock
from config.errors import BinroundError, SettingsError
from config.region import Region
from config.settings import Settings
from simulator.state import CityState
from storage import plans, queue, telemetry
from storage.database import Database
from storage.tasks import PLAN_DAY

MORNING = wall_time(5, 30)
EVENING_HOUR = 20
NIGHT_SPEED = 3600.0
POLL_S = 0.2
PATIENCE_S = 300.0


@dataclass(frozen=True)
class PlayOptions:
    """What is played.

    Attributes:
        begin: the first day; None goes on, or takes the next working day.
        speed: simulated seconds per second.
        port: of the API; 0 picks one.
        sent: file that takes down everything the city sends.
    """

    begin: date | None
    speed: float
    seed: int
    port: int
    sent: Path | None


class Play:
    """One simulated region on one machine.

    Args:
        region: the facts.
        settings: of the environment; the play keeps everything in a folder of its own.
        folder: that folder.
        options: what is played.
    """

    def __init__(
        self, region: Region, settings: Settings, folder: Path, options: PlayOptions
    ) -> None:
        self._region, self._options = region, options
        self._settings = settings.model_copy(
            update={
                "region": _anywhere(settings.region),
                "data_dir": folder,
                "clock": str(folder / "clock"),
                "api_port": options.port,
            }
        )
        self._screen = Screen()

    def live(self) -> None:
        """Play for a person at the console, until interrupted."""
        require_free_port(self._options.port)
        with self._stage() as (stack, children, clock):
            self._start_ingester(children)
            children.start("api", "--port", str(self._options.port))
            city = self._city(children, stack)
            address = f"http://127.0.0.1:{self._options.port}"
            self._wait_ready(address, stack.database, children)
            self._screen.ready(address, self._settings)
            self._screen.follow(city)
            children.start("worker")
            self._wait_phase(("waiting-for-tours", "driving"), children)
            while True:
                self._plan_today(stack.database, clock, children)
                self._drive_today(stack.database, clock, children)
                self._sleep_until_morning(clock, children)

    def headless(self, report: Path | None) -> None:
        """Play one day as fast as it goes, and give account of it."""
        started = time.monotonic()
        with self._stage() as (stack, children, clock):
            with stack.database.connect() as connection:
                before = telemetry.totals(connection)
            self._start_ingester(children)
            children.start("worker")
            city = self._city(children, stack, "--fast")
            self._screen.follow(city)
            self._wait_phase(("waiting-for-tours",), children)
            self._plan_today(stack.database, clock, children)
            self._wait_phase(("done",), children)
            self._screen.step("all tours are driven; the same day under the fixed calendar")
            account = take_account(
                stack.database,
                self._region,
                self._settings,
                self._today(clock),
                before,
                self._screen.last,
            )
        account = replace(account, wall_s=round(time.monotonic() - started, 1))
        self._screen.account(account)
        if report:
            report.write_text(json.dumps(account.as_json(), indent=2) + "\n")

    # Stage --------------------------------------------------------------------------------

    @contextmanager
    def _stage(self) -> Iterator[tuple[Stack, Children, SharedClock]]:
        """Start what stands below the services."""
        folder = self._settings.data_dir
        with claim(folder):
            clock = SharedClock(folder / "clock")
            clock.set(self._first_instant(), 0.0)
            self._screen.step(f"{self._region.name}, {self._local(clock):%A %d %B %Y, %H:%M}")
            with raise_stack(self._settings, self._region, clock) as stack:
                self._screen.step("database and broker are up")
                with Children(folder / "logs", stack.environment, self._screen.step) as children:
                    try:
                        yield stack, children, clock
                    finally:
                        clock.set(clock.now(), 0.0)

    def _start_ingester(self, children: Children) -> None:
        """Start it before anybody speaks: a broker keeps messages only for a session it knows."""
        ingester = children.start("ingest")
        self._wait(lambda: ingester.ready, children, "the ingester is not ready")

    def _city(self, children: Children, stack: Stack, *more: str) -> Child:
        arguments = [
            *("--region", self._settings.region),
            *("--credentials", str(stack.credentials)),
            *("--clock", self._settings.clock),
            *("--state", str(self._city_folder)),
            *("--seed", str(self._options.seed)),
        ]
        if self._options.sent:
            arguments += ["--sent", str(self._options.sent)]
        return children.start("simulate", *arguments, *more, talks=True)

    @property
    def _city_folder(self) -> Path:
        return self._settings.data_dir / "city"

    def _first_instant(self) -> datetime:
        """Go on where the city stopped; else 05:30 of the asked-for or the next working day."""
        state = CityState.read(self._city_folder / "city.json", self._region.id, self._options.seed)
        told = datetime.fromtimestamp(state.told_until, UTC) if state else None
        if self._options.begin:
            morning = self._morning(self._options.begin)
            if told and told > morning:
                raise BinroundError(
                    f"the simulated city is already at {told:%Y-%m-%d %H:%M} UTC; give a later "
                    f"--date, or remove {self._settings.data_dir} to begin anew"
                )
            return morning
        if told:
            local = told.astimezone(self._region.time_zone)
            over = local.hour >= EVENING_HOUR
            return self._next_morning(local.date()) if over else told
        today = RealClock().now().astimezone(self._region.time_zone).date()
        return self._next_morning(today - timedelta(days=1))

    def _next_morning(self, after: date) -> datetime:
        services = self._region.services
        return self._morning(min(self._region.next_collection_day(s, after) for s in services))

    def _morning(self, day: date) -> datetime:
        return datetime.combine(day, MORNING, self._region.time_zone).astimezone(UTC)

    def _local(self, clock: SharedClock) -> datetime:
        return clock.now().astimezone(self._region.time_zone)

    def _today(self, clock: SharedClock) -> date:
        return self._local(clock).date()

    # A day --------------------------------------------------------------------------------

    def _plan_today(self, database: Database, clock: SharedClock, children: Children) -> None:
        """Have the day's tours planned and sent to the trucks, unless that is done."""
        day = self._today(clock)
        orders = self._orders(database, day)
        jobs = [
            queue.defer(
                database,
                PLAN_DAY,
                day=day.isoformat(),
                service=service,
                depot=depot,
                publish=True,
            )
            for service, depot in orders
        ]
        for job in jobs:
            self._wait_job(database, job, children)
        if jobs:
            self._screen.step(f"tours of {day} are with the trucks")

    def _orders(self, database: Database, day: date) -> list[tuple[str, str]]:
        """Return service and depot of each plan that the day still needs."""
        wanted = duties(self._region, day)
        with database.connect() as connection:
            return [order for order in wanted if not plans.published(connection, day, *order)]

    def _drive_today(self, database: Database, clock: SharedClock, children: Children) -> None:
        """Let the day pass until the last truck is back."""
        with database.connect() as connection:
            published = published_on(connection, self._region, self._today(clock))
            ends = [tour.end for plan in published for tour in plan.tours]
        clock.set(clock.now(), self._options.speed)
        while ends and clock.now() < max(ends) + timedelta(minutes=30):
            children.tend()
            time.sleep(POLL_S)

    def _sleep_until_morning(self, clock: SharedClock, children: Children) -> None:
        """Let evening, night and weekend pass quickly."""
        morning = self._next_morning(self._today(clock))
        clock.set(clock.now(), NIGHT_SPEED)
        while clock.now() < morning:
            children.tend()
            time.sleep(POLL_S)
        clock.set(morning, 0.0)

    # Waiting ------------------------------------------------------------------------------

    def _wait_ready(self, address: str, database: Database, children: Children) -> None:
        """Wait until the API is ready and a reading of the city has arrived."""

        def ready() -> bool:
            try:
                answer = httpx.get(f"{address}/readyz", timeout=2)
            except httpx.HTTPError:
                return False
            if answer.status_code != httpx.codes.OK:
                return False
            with database.connect() as connection:
                return bool(telemetry.latest_levels(connection))

        self._wait(ready, children, "the API is not ready")

    def _wait_phase(self, phases: tuple[str, ...], children: Children) -> None:
        """Wait until the city says that it is in one of some phases."""
        self._wait(lambda: self._screen.phase in phases, children, f"the city is not {phases[0]}")

    def _wait_job(self, database: Database, job_id: int, children: Children) -> None:
        def ended() -> bool:
            with database.connect() as connection:
                job = queue.job(connection, job_id)
            if job and job.state in ("failed", "cancelled", "aborted"):
                log = self._settings.data_dir / "logs" / "worker.log"
                raise BinroundError(f"the day could not be planned; see {log}")
            return job is not None and job.state == "succeeded"

        self._wait(ended, children, "the day is not planned")

    def _wait(self, done: Callable[[], bool], children: Children, otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            children.tend()
            if time.monotonic() > deadline:
                raise BinroundError(
                    f"{otherwise} after {PATIENCE_S:.0f} s; see {self._settings.data_dir / 'logs'}"
                )
            time.sleep(POLL_S)


def require_free_port(port: int) -> None:
    """Make sure that the API can have its port, before anything is started.

    Raises:
        SettingsError: it is taken.
    """
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise SettingsError(
            f"port {port} on 127.0.0.1 cannot be had ({error.strerror}); "
            "choose another with --port or BINROUND_API_PORT"
        ) from None


def _anywhere(region: str) -> str:
    """Return a region's name as it is, or its folder so that it is found from anywhere."""
    return str(Path(region).resolve()) if Path(region).is_dir() else region
