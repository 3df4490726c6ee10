"""The best results that were published, where no file beside the instance says it.

Kim, Kim & Sahoo (2006); Benjamin & Beasley, "Metaheuristics for the waste collection vehicle
routing problem with time windows, driver rest period and multiple disposal facilities", Computers
& Operations Research 37 (2010); Buhrkal, Larsen & Ropke, "The waste collection vehicle routing
problem with time windows in a city logistics context", Procedia 39 (2012), best of ten runs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Best:
    """The fewest vehicles of the best result, and its miles."""

    vehicles: int
    miles: float


KIM = {
    "102": Best(3, 174.5),
    "277": Best(3, 447.6),
    "335": Best(6, 182.1),
    "444": Best(11, 78.3),
    "804": Best(5, 586.2),
    "1051": Best(17, 2250.5),
    "1351": Best(8, 828.1),
    "1599": Best(13, 1170.2),
    "1932": Best(16, 1128.7),
    "2100": Best(16, 1594.2),
}
