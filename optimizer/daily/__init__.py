"""From the snapshot of a day to its plan; pure, and the same for production and studies."""

from optimizer.daily.document import explanation_document
from optimizer.daily.plan import assess, plan_day, require_collection_day
from optimizer.daily.result import DayPlan, LeftOut, PlannedStop, PlannedTour, Waits
from optimizer.daily.sliced import SlicedTravel
from optimizer.daily.snapshot import DaySnapshot, containers_of, instant

__all__ = [
    "DayPlan",
    "DaySnapshot",
    "LeftOut",
    "PlannedStop",
    "PlannedTour",
    "SlicedTravel",
    "Waits",
    "assess",
    "containers_of",
    "explanation_document",
    "instant",
    "plan_day",
    "require_collection_day",
]
