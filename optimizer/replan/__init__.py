"""Plan again during the day: a running day and what happened, to a proposal.

In the order in which it is best read:

- `day`, `progress`: what is known of the day, and how what is done of a tour leads to it.
- `events`, `effects`: what can happen, and what that changes; `closure`: closed areas.
- `rest`: the routing problem of the trucks in question from now on.
- `unloading`, `insertion`, `candidates`: the answers; `polish`: the solver's search on one of them.
- `changes`: what an answer changes, and the price of that.
- `proposal`, `texts`: what a dispatcher is offered, and what it says.
- `replan`: all of this, from a running day and events to a proposal.
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
