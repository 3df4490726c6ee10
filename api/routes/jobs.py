"""Work that was asked for."""

from typing import Annotated

from fastapi import APIRouter, Path

from api import schemas
from api.context import Connection
from api.problems import INVALID, NOT_FOUND, HttpProblem, declared
from storage import console, queue, replans

router = APIRouter(tags=["jobs"])
_STATES: dict[str, schemas.JobState] = {
    "todo": "waiting",
    "doing": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "aborting": "running",
    "aborted": "cancelled",
}


@router.get("/v1/jobs/{job}", responses=declared(NOT_FOUND, INVALID))
def get_job(connection: Connection, job: Annotated[int, Path(ge=1, lt=2**63)]) -> schemas.Job:
    """How far a job has come, and the plan or the proposal it made."""
    found = queue.job(connection, job)
    if found is None:
        raise HttpProblem(NOT_FOUND, "There is no such job.")
    return schemas.Job(
        id=job,
        state=_STATES[found.state],
        plan=console.plan_of_job(connection, job),
        replan=replans.of_job(connection, job),
    )
