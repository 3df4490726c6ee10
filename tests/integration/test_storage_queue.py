import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest

from storage import assets, plans, queue
from storage.database import Database
from storage.queue import JobRecord, RunningJob
from tests.integration.storage_region import small_region

pytestmark = pytest.mark.db
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)

# Each attempt waits for a file of its own, so that it can be killed or frozen meanwhile.
WORKER = """
import sys, time
from datetime import UTC, date, datetime
from pathlib import Path
from config.errors import StaleResultError
from storage import plans, queue
from storage.database import Database

database = Database(sys.argv[1])
now = datetime(2026, 11, 23, 6, tzinfo=UTC)

def plan_day(job, go):
    print("start", job.fence.attempt, flush=True)
    while not Path(f"{go}-{job.fence.attempt}").exists():
        time.sleep(0.02)
    plan = plans.PlanRecord(id=f"p{job.fence.attempt}", region="town", service="glass",
        depot="yard", day=date(2026, 11, 24), created_at=now, engine="", seed=0, estimate=True)
    with database.connect() as connection:
        try:
            plans.save(connection, plan, job.fence)
            print("saved", flush=True)
        except StaleResultError as error:
            print("refused", flush=True)
            raise

queue.run_worker(database, {"plan_day": plan_day}, heartbeat_s=0.3, stalled_s=1.5)
"""


@contextmanager
def _worker(database: Database, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, database.dsn],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _until(met: Callable[[], object], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _job(database: Database, number: int) -> JobRecord:
    with database.connect() as connection:
        found = queue.job(connection, number)
    assert found is not None
    return found


def _plan_ids(database: Database) -> list[str]:
    with database.connect() as connection:
        return [plan.id for plan in plans.list_plans(connection)]


def _load(database: Database) -> None:
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW)


def test_a_task_gets_its_arguments_and_deadline(database: Database) -> None:
    """Deferred by name, run by any worker that knows the name; arguments are JSON."""
    seen: list[tuple[RunningJob, dict[str, Any]]] = []

    def work(job: RunningJob, **args: Any) -> None:
        seen.append((job, args))

    number = queue.defer(database, "work", deadline=NOW, day="2026-11-24", budget=[1, 2.5])
    queue.run_worker(database, {"work": work}, until_empty=True)
    ((job, args),) = seen
    assert (job.fence, job.deadline) == (queue.Fence(number, 0), NOW)
    assert args == {"day": "2026-11-24", "budget": [1, 2.5]}
    assert not job.should_abort()
    assert _job(database, number).state == "succeeded"


def test_a_failing_task_is_not_repeated(database: Database) -> None:
    """An error in a task is its result; the next job runs."""
    runs: list[int] = []

    def work(job: RunningJob) -> None:
        runs.append(job.fence.job_id)
        raise ValueError("no roads")

    numbers = [queue.defer(database, "work") for _ in range(2)]
    queue.run_worker(database, {"work": work}, until_empty=True)
    assert runs == numbers
    assert {_job(database, number).state for number in numbers} == {"failed"}


def test_a_job_is_part_of_the_callers_transaction(database: Database) -> None:
    """Deferred on a connection, it exists only if that transaction commits."""
    with database.connect(autocommit=True) as connection:
        with connection.transaction(force_rollback=True):
            number = queue.defer(connection, "work")
        assert queue.job(connection, number) is None


def test_a_job_that_waits_already_is_not_added_twice(database: Database) -> None:
    """With `once`, asking again returns the job that waits; another key is another job."""
    with database.connect(autocommit=True) as connection:
        first = queue.defer(connection, "work", once="plan/glass")
        assert queue.defer(connection, "work", once="plan/glass") == first
        assert queue.defer(connection, "work", once="plan/paper") != first


def test_the_more_urgent_job_runs_first(database: Database) -> None:
    """A greater priority is sooner."""
    runs: list[int] = []
    low = queue.defer(database, "work")
    high = queue.defer(database, "work", priority=5)
    task = {"work": lambda job: runs.append(job.fence.job_id)}
    queue.run_worker(database, task, until_empty=True)
    assert runs == [high, low]


def test_a_job_can_be_cancelled(database: Database) -> None:
    """A waiting job never runs; a running one is told to stop."""
    with database.connect(autocommit=True) as connection:
        waiting = queue.defer(connection, "work")
        assert queue.cancel(connection, waiting)
        assert not queue.cancel(connection, waiting)
        running = queue.defer(connection, "work")

    def work(job: RunningJob) -> None:
        with database.connect(autocommit=True) as connection:
            assert queue.cancel(connection, job.fence.job_id)
        _until(job.should_abort)

    queue.run_worker(database, {"work": work}, until_empty=True)
    assert _job(database, waiting).state == "cancelled"
    assert _job(database, running).state == "aborted"


@pytest.mark.slow
def test_a_killed_workers_job_is_run_again(database: Database, tmp_path: Path) -> None:
    """Kill -9 in the middle of a job: another worker runs it, and one plan is stored."""
    _load(database)
    number = queue.defer(database, "plan_day", go=str(tmp_path / "go"))
    (tmp_path / "go-1").touch()
    log = tmp_path / "first"
    with _worker(database, log) as first:
        _until(lambda: b"start 0" in log.read_bytes())
        first.kill()
        first.wait()
        with _worker(database, tmp_path / "second"):
            _until(lambda: _job(database, number).state == "succeeded")
    assert _plan_ids(database) == ["p1"]


@pytest.mark.slow
def test_a_frozen_workers_late_result_is_refused(database: Database, tmp_path: Path) -> None:
    """A worker that was frozen while another took over wakes up: its plan is thrown away.

    The job stays with the other worker, and the one that woke up goes on with other jobs.
    """
    _load(database)
    number = queue.defer(database, "plan_day", go=str(tmp_path / "go"))
    logs = first_log, second_log = tmp_path / "first", tmp_path / "second"
    with _worker(database, first_log) as first:
        _until(lambda: b"start 0" in first_log.read_bytes())
        first.send_signal(SIGSTOP)
        _until(lambda: _silent_workers(database) == 1)
        with _worker(database, second_log):
            _until(lambda: b"start 1" in second_log.read_bytes())
            (tmp_path / "go-0").touch()
            first.send_signal(SIGCONT)
            _until(lambda: b"refused" in first_log.read_bytes())
            time.sleep(0.5)  # for what it says to the queue afterwards
            assert _job(database, number).state == "doing"
            (tmp_path / "go-1").touch()
            _until(lambda: _job(database, number).state == "succeeded")
            assert _plan_ids(database) == ["p1"]
        following = queue.defer(database, "plan_day", go=str(tmp_path / "go"))
        _until(lambda: _job(database, following).state == "succeeded")
    assert [log.read_bytes().count(b"saved") for log in logs] == [1, 1]


def _silent_workers(database: Database) -> int:
    with database.connect() as connection:
        return len(
            connection.execute(
                "SELECT FROM procrastinate_workers WHERE last_heartbeat < now() - interval '1.6 s'"
            ).fetchall()
        )
