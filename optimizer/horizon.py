"""Selection that knows the days to come: today's prices know what tomorrow's tours will pass.

`RiskPriced` looks one chance ahead, and takes every later visit to cost the usual. This policy
first spreads all sites over today and the next collection days. What emptying a site's containers
on day k is worth, compared with not emptying them by the last chance it looks at, is

    B_k = sum over its containers of max(0, phi(level_k) + W_last - W_k - handling)

    W_k     what overflowing costs from today until day k (C x expected days of overflow)
    phi(l)  what emptying at a level saves of a later visit: share x V x min(l, 1)
    V       what emptying a container usually costs, the way to it included

and going there costs m_k: the stop, the detour from the two nearest places that are due on day k
anyway (the depot always is), and a part of what it takes to send a truck out at all, divided
among the day's sites. Without that last term every site waits for a tour that then nobody starts.
Sites are put on their best day in the order of their regret (what the second-best day would cost
them; Potvin & Rousseau 1993), and moved as long as that is better; a day takes no more work
than the trucks have hours. The price of today's visit is what makes today as good as the best of
the other days:

    prize = handling + B_0 + best of the rest later - best of all later,   best = max(0, B_k - m_k)

Here handling and B_0 are of the containers that a visit today would empty (together what emptying
them is worth before their handling is taken off); the rest are the others of the site.
So a site whose neighbours are due tomorrow is worth less today, and one that nobody will pass for
days is worth more. Straight lines stand for roads. What it changes is measured in
`docs/adr/0014-the-days-to-come.md`.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from config.earth import RADIUS_M
from optimizer.roads.haversine import CIRCUITY, S_PER_M, START_S
from optimizer.selection import Ahead, Choice, Floats, Occasion, Outlook, RiskPriced

CHANCES = 3  # coming collection days that it looks at; sites are spread over today and all but
# the last, by which waiting ends
FEWEST = 2
SHARE = 0.5  # of the usual cost of a visit that emptying a full container saves, as measured
NEIGHBOURS = 24  # of a site, among which those are sought that are due on a day
NEAREST = 4  # of those, that may be the other end of a detour
SWEEPS = 4  # over all sites, to move them to better days
LATER = -1  # the day of a site that waits beyond the horizon


@dataclass(frozen=True)
class Horizon:
    """Prices today's visits against the best of the next collection days; see the module.

    Attributes:
        chances: coming collection days to look at, 2 at least.
        share: of the usual cost of a visit that emptying a full container saves.
    """

    chances: int = CHANCES
    share: float = SHARE
    name: str = field(default="horizon", init=False)

    def choose(self, outlook: Outlook, occasion: Occasion) -> Choice:
        """Choose by price."""
        near = RiskPriced().choose(outlook, occasion)
        ahead = outlook.ahead
        if ahead is None or len(outlook.containers) == 0:
            return near
        sites = _Sites.of(outlook, occasion)
        worth = self._worth(outlook.level, ahead, occasion)
        gain = np.maximum(worth, 0.0)
        lifts = sites.sum(np.where(worth > 0.0, 1.0, 0.0))
        spread = Spread(sites, sites.sum(gain), lifts, occasion)
        spread.assign()
        detours = spread.detours()
        rest = sites.sum(np.where(near.take[:, None], 0.0, gain))
        today = sites.sum(np.where(near.take, worth[:, 0] + occasion.container_eur, 0.0)[:, None])
        prize = today[:, 0] + _best(rest, detours) - _best(spread.worth, detours)
        return _shared_out(near, sites, prize)

    def _worth(self, level: Floats, ahead: Ahead, occasion: Occasion) -> Floats:
        """Return what emptying each container on each day is worth, its handling taken off."""
        now = np.zeros((len(level), 1))
        level = level[:, None] + np.concatenate([now, ahead.growth[:, :-1]], axis=1)
        days = np.concatenate([now, ahead.overflow_days], axis=1)
        risk = occasion.service.overflow_eur_per_day * (days[:, -1:] - days[:, :-1])
        saved = self.share * occasion.usual_eur * np.clip(level, 0.0, 1.0)
        return np.asarray(saved + risk - occasion.container_eur)


def _best(worth: Floats, detours: Floats) -> Floats:
    """Return the most that a later day brings; nothing where none is worth its detour."""
    return np.maximum((worth[:, 1:] - detours[:, 1:]).max(axis=1), 0.0)


def _shared_out(near: Choice, sites: "_Sites", prize: Floats) -> Choice:
    """Give each container its share of its site's price, in proportion to its own risk."""
    own = np.where(near.take, near.prize_eur, 0.0)
    total = sites.sum(own[:, None])[:, 0]
    factor = np.maximum(prize, 0.0) / np.where(total > 0.0, total, 1.0)
    shared = np.where(near.take, own * factor[sites.of_container], near.prize_eur)
    return Choice(near.take, near.mandatory, shared, np.minimum(near.credit_eur, shared))


@dataclass(frozen=True, eq=False)
class _Sites:
    """Where the sites are; arrays (sites, ...).

    Attributes:
        of_container: (n,) the site of each container.
        xy: metres east and north of the middle.
        depot_m: straight distance from the nearest depot.
        neighbours: (sites, k) the nearest others, nearest first; likewise `apart_m`.
    """

    of_container: NDArray[np.intp]
    xy: Floats
    depot_m: Floats
    neighbours: NDArray[np.intp]
    apart_m: Floats

    @classmethod
    def of(cls, outlook: Outlook, occasion: Occasion) -> "_Sites":
        region = occasion.region
        names = list(dict.fromkeys(container.site for container in outlook.containers))
        number = {name: index for index, name in enumerate(names)}
        points = [(region.site_by_id[name].lon, region.site_by_id[name].lat) for name in names]
        points += [(depot.lon, depot.lat) for depot in region.depots]
        angles = np.radians(np.array(points))
        middle = angles[: len(names)].mean(axis=0)
        xy = (angles - middle) * RADIUS_M * np.array([np.cos(middle[1]), 1.0])
        sites, depots = xy[: len(names)], xy[len(names) :]
        count = min(NEIGHBOURS + 1, len(names))
        apart, near = cKDTree(sites).query(sites, k=np.arange(1, count + 1))
        return cls(
            of_container=np.array([number[c.site] for c in outlook.containers], np.intp),
            xy=sites,
            depot_m=np.linalg.norm(sites[:, None] - depots[None], axis=2).min(axis=1),
            neighbours=near[:, 1:],
            apart_m=apart[:, 1:],
        )

    def __len__(self) -> int:
        return len(self.xy)

    def sum(self, of_containers: Floats) -> Floats:
        """Return sums over the containers of each site; columns stay."""
        total = np.zeros((len(self), of_containers.shape[1]))
        np.add.at(total, self.of_container, of_containers)
        return total


class Spread:
    """Spreads sites over days.

    Args:
        sites: where they are.
        worth: (sites, days) euro, the detour not yet taken off.
        lifts: (sites, days) containers that would be emptied.
        occasion: what time and ways cost.
    """

    def __init__(self, sites: _Sites, worth: Floats, lifts: Floats, occasion: Occasion) -> None:
        self.worth = worth
        self.day = np.full(len(sites), LATER)
        self._sites = sites
        service = occasion.service
        self._stop_s = service.site_s + START_S
        self._work_s = self._stop_s + lifts * service.container_s
        self._eur_per_m = (
            S_PER_M * occasion.eur_per_h / 3600 + CIRCUITY * occasion.eur_per_km / 1000
        )
        self._stop_eur = self._stop_s * occasion.eur_per_h / 3600
        self._free_s = np.full(worth.shape[1], occasion.trucks_s)
        self._opening_eur = occasion.fixed_eur + 2 * self._eur_per_m * float(
            np.median(sites.depot_m)
        )
        self._due = np.zeros(worth.shape[1])

    def assign(self) -> None:
        """Put every site on its best day; the day stays `LATER` where none is worth it."""
        alone = self.worth - self._stop_eur
        ranked = np.sort(np.concatenate([alone, np.zeros((len(alone), 1))], axis=1), axis=1)
        order = np.argsort(ranked[:, -2] - ranked[:, -1], kind="stable")  # most regret first
        for _ in range(SWEEPS):
            moved = False
            for site in order.tolist():
                moved |= self._place(site)
            if not moved:
                break

    def detours(self) -> Floats:
        """Return what going to each site costs on each day, given all others' days."""
        return np.stack([self._detour(site) for site in range(len(self.day))])

    def _place(self, site: int) -> bool:
        before = int(self.day[site])
        if before != LATER:
            self._free_s[before] += self._work_s[site, before]
            self._due[before] -= 1
        self.day[site] = LATER
        profit = self.worth[site] - self._detour(site)
        profit[self._work_s[site] > self._free_s] = -np.inf
        best = int(profit.argmax())
        if profit[best] > 0:
            self.day[site] = best
            self._free_s[best] -= self._work_s[site, best]
            self._due[best] += 1
        return bool(self.day[site] != before)

    def _detour(self, site: int) -> Floats:
        """Return euro per day: the stop, the detour, and a part of sending a truck out."""
        days = self.day[self._sites.neighbours[site]]
        count = self.worth.shape[1]
        metres = np.array([self._way_m(site, np.flatnonzero(days == day)) for day in range(count)])
        sharing = self._due + (self.day[site] != np.arange(count))
        return np.asarray(self._stop_eur + self._eur_per_m * metres + self._opening_eur / sharing)

    def _way_m(self, site: int, due: NDArray[np.intp]) -> float:
        """Return the detour from the nearest of the neighbours that are due, or the depot."""
        sites = self._sites
        home = float(sites.depot_m[site])
        if not len(due):
            return 2 * home
        near = sites.neighbours[site, due[:NEAREST]]
        apart = sites.apart_m[site, due[:NEAREST]]
        between = np.hypot(*(sites.xy[near[1:]] - sites.xy[near[0]]).T)
        onwards = [apart[0], home - sites.depot_m[near[0]], *(apart[1:] - between)]
        return max(0.0, float(apart[0] + min(onwards)))
