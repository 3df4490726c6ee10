"""Plan again during the day: a running day and what happened, to a proposal.

`day` is what is known of the day, `events` what can happen, `effects` what that changes, `rest`
the routing problem of the trucks in question from now on, `insertion` and `candidates` the answers,
`changes` what they change, `proposal` what a dispatcher is offered.
"""

from optimizer.replan.candidates import Polish
from optimizer.replan.changes import ReplanRules
from optimizer.replan.closure import Ways
from optimizer.replan.day import RunningDay, RunningStop, RunningTour, StopState
from optimizer.replan.events import (
    Breakdown,
    CancelStop,
    Closure,
    DriverSwap,
    Event,
    FacilityClosed,
    TruckFull,
    UrgentStop,
)
from optimizer.replan.polish import ruin_and_recreate
from optimizer.replan.proposal import LeftUndone, Moved, NewTour, Proposal
from optimizer.replan.replan import replan

__all__ = [
    "Breakdown",
    "CancelStop",
    "Closure",
    "DriverSwap",
    "Event",
    "FacilityClosed",
    "LeftUndone",
    "Moved",
    "NewTour",
    "Polish",
    "Proposal",
    "ReplanRules",
    "RunningDay",
    "RunningStop",
    "RunningTour",
    "StopState",
    "TruckFull",
    "UrgentStop",
    "Ways",
    "replan",
    "ruin_and_recreate",
]
