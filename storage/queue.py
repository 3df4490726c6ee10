"""The job queue, on the same database: defer by name, run with a deadline, survive a crash.

A worker that dies leaves its jobs marked as running; the reaper of any other worker hands them
out again. A worker that was only frozen may come back and deliver late: every attempt has a
number, and a result is stored only while its attempt still holds the job (`require_held`).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, JobAborted
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from config.errors import DatabaseError, StaleResultError
from storage.database import Database
from storage.sql import queries

_SQL = queries("queue")
_DEADLINE = "deadline"
DEFAULT_QUEUE = "default"
MAX_ATTEMPTS = 3


class Fence(NamedTuple):
    """One attempt at one job; whoever stores a result shows it."""

    job_id: int
    attempt: int


@dataclass(frozen=True)
class RunningJob:
    """What a task is told about the job it works on.

    Attributes:
        fence: to be shown when the result is stored.
        deadline: instant by which the result is needed, or None.
        should_abort: whether somebody cancelled it or the worker is to end; ask often.
    """

    fence: Fence
    deadline: datetime | None
    should_abort: Callable[[], bool]


class JobRecord(NamedTuple):
    """A job as the queue knows it; states as in procrastinate (`todo`, `doing`, ...)."""

    id: int
    task: str
    state: str
    attempts: int
    args: Mapping[str, Any]


Task = Callable[..., object]  # task(job: RunningJob, **args)


def defer(
    target: Database | psycopg.Connection,
    task: str,
    *,
    deadline: datetime | None = None,
    lock: str | None = None,
    once: str | None = None,
    queue: str = DEFAULT_QUEUE,
    priority: int = 0,
    **args: Any,
) -> int:
    """Ask for a task to be run.

    Args:
        target: a database, or a connection whose transaction the job is part of.
        task: its name, as a worker knows it.
        deadline: instant by which its result is needed.
        lock: jobs with the same lock never run at the same time.
        once: while a job with this key waits, a second one is not added.
        queue: which workers may take it.
        priority: greater is sooner.
        **args: JSON values for the task.

    Returns:
        The job's id; with `once`, that of the job which already waits.
    """
    if isinstance(target, Database):
        with target.connect() as connection:
            return defer(
                connection,
                task,
                deadline=deadline,
                lock=lock,
                once=once,
                queue=queue,
                priority=priority,
                **args,
            )
    if deadline is not None:
        args[_DEADLINE] = deadline.isoformat()
    deferrer = App(connector=SyncPsycopgConnector()).configure_task(
        task, lock=lock, queueing_lock=once, queue=queue, priority=priority, connection=target
    )
    try:
        with target.transaction():
            return int(deferrer.defer(**args))
    except AlreadyEnqueued:
        row = target.execute(_SQL["waiting"], [once]).fetchone()
        if row is None:  # it began between the two statements
            return int(deferrer.defer(**args))
        return int(row[0])


def job(connection: psycopg.Connection, job_id: int) -> JobRecord | None:
    """Return a job, or None."""
    row = connection.execute(_SQL["job"], [job_id]).fetchone()
    return JobRecord._make(row) if row else None


def depth(connection: psycopg.Connection) -> dict[str, int]:
    """Count jobs that wait, run, or failed and are still kept."""
    found: dict[str, int] = dict(connection.execute(_SQL["depth"]).fetchall())
    return {state: found.get(state, 0) for state in ("todo", "doing", "failed")}


def cancel(connection: psycopg.Connection, job_id: int) -> bool:
    """Cancel a waiting job, or ask a running one to stop; returns whether there was one."""
    manager = App(connector=SyncPsycopgConnector()).job_manager
    return manager.cancel_job_by_id(job_id, abort=True, connection=connection)


def require_held(connection: psycopg.Connection, fence: Fence) -> None:
    """Make sure, until the transaction ends, that an attempt still holds its job.

    Raises:
        StaleResultError: another worker has taken over; the result must be thrown away.
    """
    if not connection.execute(_SQL["held"], fence).fetchone():
        raise StaleResultError(
            f"job {fence.job_id}: attempt {fence.attempt + 1} was taken over by another worker; "
            "its late result is refused"
        )


class _FencedJobs(JobManager):
    """Lets a worker finish or retry a job only while it still holds it.

    It also brings back the entry of a worker that was taken for dead: without it the worker
    could never fetch a job again.
    """

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        await self.update_heartbeat(worker_id)
        return await super().fetch_job(queues, worker_id)

    async def update_heartbeat(self, worker_id: int) -> None:
        await self.connector.execute_query_async(_SQL["alive"], worker_id=worker_id)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        if await self._holds(job):
            await super().finish_job(job, status, delete_job)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        if await self._holds(job):
            await super().retry_job(job, retry_at, priority, queue, lock)

    async def _holds(self, job: Job) -> bool:
        rows = await self.connector.execute_query_all_async(
            _SQL["holds"], id=job.id, attempts=job.attempts
        )
        return bool(rows)


def run_worker(
    database: Database,
    tasks: Mapping[str, Task],
    *,
    queues: tuple[str, ...] = (DEFAULT_QUEUE,),
    concurrency: int = 1,
    heartbeat_s: float = 5.0,
    stalled_s: float = 20.0,
    until_empty: bool = False,
) -> None:
    """Run jobs until SIGINT or SIGTERM.

    Args:
        database: where the queue is.
        tasks: by name; each is called as `task(job, **args)` in a thread of its own.
        queues: which jobs to take.
        concurrency: how many at the same time.
        heartbeat_s: how often this worker says that it lives.
        stalled_s: silence after which a worker's jobs are handed to others.
        until_empty: return when there is nothing left to do.

    Raises:
        DatabaseError: the database is gone.
    """
    app = App(connector=PsycopgConnector(conninfo=database.dsn, min_size=1, max_size=4))
    app.job_manager = _FencedJobs(app.connector)
    for name, task in tasks.items():
        app.task(
            name=name,
            pass_context=True,
            # A job interrupted by the worker's end is done again; one that failed is not.
            retry=RetryStrategy(max_attempts=MAX_ATTEMPTS, retry_exceptions=[JobAborted]),
        )(_adapted(task))

    async def run() -> None:
        async with app.open_async():
            reaper = asyncio.create_task(_reap(app, stalled_s))
            try:
                await app.run_worker_async(
                    queues=list(queues),
                    concurrency=concurrency,
                    wait=not until_empty,
                    update_heartbeat_interval=heartbeat_s,
                    stalled_worker_timeout=stalled_s,
                    fetch_job_polling_interval=2.0,
                    abort_job_polling_interval=1.0,
                    shutdown_graceful_timeout=1.0,
                )
            finally:
                reaper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reaper

    try:
        asyncio.run(run())
    except (psycopg.Error, ConnectorException) as error:
        said = " ".join(str(error.__cause__ or error).split())
        raise DatabaseError(f"the job queue's database is gone: {said}") from error


def _adapted(task: Task) -> Callable[..., object]:
    """Turn the queue's context into what our tasks are told."""

    def run(context: JobContext, **args: Any) -> object:
        deadline = args.pop(_DEADLINE, None)
        running = RunningJob(
            Fence(context.job.id or 0, context.job.attempts),
            datetime.fromisoformat(deadline) if deadline else None,
            context.should_abort,
        )
        result = task(running, **args)
        if context.should_abort():
            raise JobAborted
        return result

    return run


async def _reap(app: App, stalled_s: float) -> None:
    """Hand out again what dead workers held; give up on a job that keeps killing them."""
    while True:
        with contextlib.suppress(Exception):  # the database may be away; the next round tries
            await app.connector.execute_query_all_async(
                _SQL["reap"], stalled_s=stalled_s, max_attempts=MAX_ATTEMPTS
            )
        await asyncio.sleep(stalled_s / 4)
