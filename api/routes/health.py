"""Whether the service lives, and whether it can serve."""

from fastapi import APIRouter

from api import schemas
from api.context import Connection, Parts
from api.problems import UNAVAILABLE, HttpProblem, declared
from config.errors import DatabaseError
from storage import assets
from storage.migrate import require_schema

router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez() -> schemas.Health:
    """Answers as long as the process runs."""
    return schemas.Health()


@router.get("/readyz", responses=declared(UNAVAILABLE))
def readyz(parts: Parts, connection: Connection) -> schemas.Health:
    """Answers when the database answers, its schema is up to date and the region is loaded."""
    try:
        require_schema(parts.database)
    except DatabaseError:
        raise HttpProblem(
            UNAVAILABLE, "The schema is not up to date: run `binround db migrate`."
        ) from None
    if all(region.id != parts.region.id for region in assets.regions(connection)):
        raise HttpProblem(UNAVAILABLE, "The region is not loaded into the database yet.")
    return schemas.Health()
