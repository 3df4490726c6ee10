"""Street names: a street keeps its name as long as it goes on straight."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from optimizer.roads.town.plan import Plan
from optimizer.roads.town.ranks import PRIMARY, RESIDENTIAL

_STRAIGHT = np.cos(np.radians(65))  # a street may bend by so much at a junction
_TREES = (
    "Ahorn Birken Buchen Eichen Erlen Eschen Fichten Flieder Ginster Hasel Holunder Kastanien "
    "Kiefern Lärchen Linden Pappel Platanen Rosen Tannen Ulmen Weiden Wacholder Nelken Tulpen "
    "Amsel Drossel Finken Lerchen Meisen Schwalben Sperber Falken Reiher Kranich Dachs Fuchs"
)
_PLACES = (
    "Mühlen Bach Berg Brunnen Feld Garten Hof Kirch Kloster Markt Schul Stein Tal Teich Turm "
    "Wald Wasser Wiesen Sonnen Sand Heide Moor Hügel Anger Graben Wall Gilden Weber Schmiede "
    "Töpfer Gerber Färber Bleich Ziegel Kalk Flachs Korn Hopfen Wein Obst Nord Süd Ost West"
)
_KINDS = ("straße", "weg", "gasse", "ring", "allee", "pfad", "winkel", "kamp", "platz", "steig")
_TOWNS = (
    "Altendorfer Brakeler Detmolder Enger Gütersloher Haller Herforder Lemgoer Oldentruper "
    "Paderborner Rietberger Salzufler Spenger Steinhagener Verler Werther"
)


def name_streets(plan: Plan) -> list[str]:
    """Return a name for each street of a plan; unlike streets have unlike names."""
    _, street = connected_components(_continuations(plan), directed=False)
    main = np.zeros(street.max() + 1, bool)
    main[street[plan.rank >= PRIMARY]] = True
    minor = (f"{stem}{kind}" for kind in _KINDS for stem in f"{_TREES} {_PLACES}".split())
    major = (f"{stem} Straße" for stem in _TOWNS.split())
    numbered = (f"Planstraße {number}" for number in range(1, len(street) + 1))
    names = [
        next(major, "") or next(numbered) if is_main else next(minor, "") or next(numbered)
        for is_main in main.tolist()
    ]
    return [names[part] for part in street.tolist()]


def _continuations(plan: Plan) -> coo_array[np.float64, tuple[int, int]]:
    """Pair, at every junction, the streets of one class that go on most straight."""
    pairs = []
    for arms in _arms(plan):
        best = sorted(
            (float(a[1] @ b[1]), a[0], b[0])
            for number, a in enumerate(arms)
            for b in arms[:number]
            if (plan.rank[a[0]] == RESIDENTIAL) == (plan.rank[b[0]] == RESIDENTIAL)
        )
        taken: set[int] = set()
        for straight, one, other in best:
            if straight < -_STRAIGHT and not {one, other} & taken:
                taken |= {one, other}
                pairs.append((one, other))
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(plan.ends),) * 2)


def _arms(plan: Plan) -> list[list[tuple[int, NDArray[np.float64]]]]:
    """Return, per junction, its streets with the direction in which they leave."""
    along = (plan.xy[plan.ends[:, 1]] - plan.xy[plan.ends[:, 0]]) / plan.length_m[:, None]
    arms: list[list[tuple[int, NDArray[np.float64]]]] = [[] for _ in plan.xy]
    for street, (start, end) in enumerate(plan.ends.tolist()):
        arms[start].append((street, along[street]))
        arms[end].append((street, -along[street]))
    return arms
