"""Why a site is in a plan, and why a container is not: in euro, in English and German."""

from optimizer.explain.obstacles import explain_obstacle
from optimizer.explain.text import Language, Text
from optimizer.explain.tours import Slack, TripLoad, explain_slack, slacks, trip_loads
from optimizer.explain.unserved import REASONS, explain_unserved, explain_waiting
from optimizer.explain.visits import ContainerFacts, Explanation, decisive, explain_visit

__all__ = [
    "REASONS",
    "ContainerFacts",
    "Explanation",
    "Language",
    "Slack",
    "Text",
    "TripLoad",
    "decisive",
    "explain_obstacle",
    "explain_slack",
    "explain_unserved",
    "explain_visit",
    "explain_waiting",
    "slacks",
    "trip_loads",
]
