"""Which sites may be visited today, what for, and what it is worth.

A policy looks at what is to be expected of every container until the next possible visit and
chooses; containers of one site then merge into one visit. Production, the demo's comparison
and studies use the same policies.

The price of a container (`RiskPriced`), in euro:

    prize = max( C x O / max(min(r x gap, 1), floor),  V x level^2 )

    C    what a day of an overflowing container costs (`Service.overflow_eur_per_day`)
    O    expected days it overflows from today's collection until the next possible one,
         if it is not visited today: the integral of P(level >= 1)
    r    its expected rate, share of its volume per day
    gap  days until the next possible visit by the region's calendar (weekends and holidays)
    V    what emptying a container usually costs, the way to it included (`Occasion.usual_eur`,
         computed in `optimizer.daily.usual`)

A chance is a coming day on which the service may collect; the next chance is the first after today.

Why the quotient: waiting costs C x O. A container needs one visit for each volume that falls
in, so waiting one gap saves the share min(r x gap, 1) of a visit. It is worth visiting today
when C x O > share x (what the visit costs), so C x O / share is what the visit may cost, and
the router compares it with what the visit adds to the tours. This rule overflows 11 times less
than a threshold of 80 % at equal visits for depot containers, and a rule on the probability of
overflow alone is worse than it, for litter bins even worse than the threshold (measured on the
real rates of 262 bins, `docs/adr/0008-what-to-collect-today.md`).

Why the second term: a truck that is near anyway can empty a container that is not due, and so
save a later visit of its own. A container that is half full has used half of its visit; but its
next visit would often be shared with neighbours, hence the square. Measured in a study: 23 % fewer
kilometres than with the first term alone, at the same overflow (ADR 8).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from config.region import WEEKDAYS, Container, Region, Service, Site
from optimizer.fill.belief import EMPTY_LEVEL
from optimizer.fill.forecast import DAY_S, Forecast

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEARLY_CERTAIN = 0.99  # probability of overflowing before the next chance that leaves no choice
SHARE_FLOOR = 0.02  # smallest share of a visit that waiting is taken to save
FULLEST = 1.2  # what lies in and beside an overflowing container, as far as a truck takes it


@dataclass(frozen=True, eq=False)
class Ahead:
    """What is to be expected of each container by each of the next chances; arrays (n, chances).

    Attributes:
        overflow_days: expected days of overflow from today's collection until then.
        growth: expected growth until then, share of the volume.
    """

    overflow_days: Floats
    growth: Floats


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is to be expected of each container today and until the next chance; arrays (n,).

    Attributes:
        containers: in the order of the arrays.
        level: expected level when collection begins today; `level_sd` its deviation.
        growth: expected growth until the next chance, share of the volume.
        p_overflow: probability of overflowing by then.
        overflow_days: expected days of overflow by then.
        reading: last reading, NaN without one.
        gap_days: days until the next chance.
        ahead: by that chance and the ones after it, as many as the policy asked for; None where
            it looks no further than the next.
    """

    containers: tuple[Container, ...]
    level: Floats
    level_sd: Floats
    growth: Floats
    p_overflow: Floats
    overflow_days: Floats
    reading: Floats
    gap_days: float
    ahead: Ahead | None = None

    @property
    def saved_share(self) -> Floats:
        """The share of a visit that waiting for the next chance saves."""
        return np.clip(self.growth, SHARE_FLOOR, 1.0)


def look_ahead(
    containers: Sequence[Container], forecast: Forecast, today_s: float, chances_s: Sequence[float]
) -> Outlook:
    """Look from today's collection to the next possible ones, all in epoch seconds."""
    level, level_sd = forecast.level(today_s)
    next_s, *later_s = chances_s
    return Outlook(
        containers=tuple(containers),
        level=level,
        level_sd=level_sd,
        growth=forecast.level(next_s)[0] - level,
        p_overflow=forecast.p_overflow(next_s),
        overflow_days=forecast.overflow_days(today_s, next_s),
        reading=forecast.belief.reading,
        gap_days=(next_s - today_s) / DAY_S,
        ahead=_ahead(forecast, level, today_s, chances_s) if later_s else None,
    )


def _ahead(forecast: Forecast, level: Floats, today_s: float, chances_s: Sequence[float]) -> Ahead:
    spans = [
        forecast.overflow_days(before, after) for before, after in pairwise((today_s, *chances_s))
    ]
    growth = [forecast.level(chance)[0] - level for chance in chances_s]
    return Ahead(np.cumsum(np.stack(spans, axis=1), axis=1), np.stack(growth, axis=1))


@dataclass(frozen=True)
class Occasion:
    """A day on which a service runs, and what its work costs.

    Attributes:
        eur_per_h: of a truck with its crew.
        usual_eur: what emptying one container usually costs, the way to its site included.
        eur_per_km: of a truck; `fixed_eur` for using it on a day.
        trucks_s: time that all trucks have for collecting on one day; likewise on days to come.
    """

    region: Region
    service: Service
    day: date
    eur_per_h: float
    usual_eur: float
    eur_per_km: float = 0.0
    fixed_eur: float = 0.0
    trucks_s: float = math.inf

    @property
    def container_eur(self) -> float:
        """What emptying one more container of a site costs."""
        return self.service.container_s / 3600 * self.eur_per_h

    @property
    def site_eur(self) -> float:
        """What stopping at a site costs, the way to it left aside."""
        return self.service.site_s / 3600 * self.eur_per_h


@dataclass(frozen=True, eq=False)
class Choice:
    """What a policy wants of each container; arrays (n,).

    Attributes:
        take: to be emptied if its site is visited.
        mandatory: its site has to be visited.
        prize_eur: what emptying it is worth; 0 where the policy knows no prices.
        credit_eur: the part of a later visit that emptying it saves; never above the prize.
    """

    take: Flags
    mandatory: Flags
    prize_eur: Floats
    credit_eur: Floats


class Policy(Protocol):
    """Decides which containers are worth a visit today.

    `chances` is how many of the coming possible collections it wants to see in the outlook.
    """

    @property
    def chances(self) -> int:
        """How many of the next possible collections it looks at; at least 1."""
        ...

    @property
    def name(self) -> str:
        """Its name in plans and reports."""
        ...

    def choose(self, outlook: Outlook, occasion: Occasion) -> Choice:
        """Choose among all containers of a service."""
        ...


@dataclass(frozen=True)
class RiskPriced:
    """Prices waiting; see the module's formula.

    A container joins a visit when its prize exceeds its own handling. It makes the visit
    mandatory when it overflows before the next chance with `certain` probability.
    """

    certain: float = NEARLY_CERTAIN
    name: str = field(default="risk-priced", init=False)
    chances: int = field(default=1, init=False)

    def choose(self, outlook: Outlook, occasion: Occasion) -> Choice:
        """Choose by price."""
        waiting_eur = occasion.service.overflow_eur_per_day * outlook.overflow_days
        credit = occasion.usual_eur * np.clip(outlook.level, 0.0, 1.0) ** 2
        prize = np.maximum(waiting_eur / outlook.saved_share, credit)
        mandatory = outlook.p_overflow >= self.certain
        return Choice((prize > occasion.container_eur) | mandatory, mandatory, prize, credit)


@dataclass(frozen=True)
class FixedCalendar:
    """Empties every site every so many days, whatever its level.

    Sites are ordered by their bearing from the middle of all sites and cut into as many equal
    shares as there are collection days in the interval. So each day has one sector, as in a
    calendar made by hand; what falls on a holiday is collected on the next day.
    """

    days: float
    chances: int = field(default=1, init=False)

    @property
    def name(self) -> str:
        """Its name in plans and reports."""
        return f"calendar-{self.days:g}"

    def choose(self, outlook: Outlook, occasion: Occasion) -> Choice:
        """Choose the sites whose turn it is."""
        region, service, day = occasion.region, occasion.service, occasion.day
        interval = max(self.days * len(service.collection_days) / 7, 1.0)
        before = day - timedelta(days=1)
        while not region.is_collection_day(service, before):
            before -= timedelta(days=1)
        phases = _phases([region.site_by_id[c.site] for c in outlook.containers])
        phase = np.array([phases[c.site] for c in outlook.containers]) * interval
        turns = [np.floor((_ordinal(service, at) + phase) / interval) for at in (before, day)]
        due = turns[1] > turns[0]
        return Choice(due, due, np.zeros(len(due)), np.zeros(len(due)))


@dataclass(frozen=True)
class Threshold:
    """Empties a container whose last reading reaches a level; without a sensor by calendar."""

    level: float = 0.8
    chances: int = field(default=1, init=False)

    @property
    def name(self) -> str:
        """Its name in plans and reports."""
        return f"threshold-{self.level:.0%}"

    def choose(self, outlook: Outlook, occasion: Occasion) -> Choice:
        """Choose by the last reading."""
        calendar = FixedCalendar(occasion.service.calendar_days).choose(outlook, occasion)
        silent = np.isnan(outlook.reading)
        due = np.where(silent, calendar.take, outlook.reading >= self.level)
        return Choice(due, due, np.zeros(len(due)), np.zeros(len(due)))


def _ordinal(service: Service, day: date) -> int:
    """Count a service's weekdays up to and including a day, holidays or not."""
    weeks, weekday = divmod(day.toordinal() - 1, 7)  # ordinal 1 was a Monday
    return weeks * len(service.collection_days) + sum(
        name in service.collection_days for name in WEEKDAYS[: weekday + 1]
    )


def _phases(sites: Sequence[Site]) -> dict[str, float]:
    """Return each site's place in the round of all sites, 0 up to 1."""
    distinct = {site.id: site for site in sites}
    lon, lat = np.array([(s.lon, s.lat) for s in distinct.values()]).reshape(-1, 2).T
    east = (lon - lon.mean()) * math.cos(math.radians(float(lat.mean()))) if len(lon) else lon
    bearing = np.arctan2(east, lat - lat.mean() if len(lat) else lat)
    order = np.lexsort((np.array(list(distinct)), bearing))
    phase = np.empty(len(order))
    phase[order] = np.arange(len(order)) / max(len(order), 1)
    return dict(zip(distinct, phase.tolist(), strict=True))


@dataclass(frozen=True)
class Candidate:
    """A site that may be visited today, with the containers that would be emptied.

    Once its place is known to the roads, `optimizer.daily.problem.visit_of` makes it a
    `optimizer.model.Visit`.

    Attributes:
        containers: indices into the outlook's containers.
        kg: expected weight per fraction, in the service's order.
        litres: expected volume as it lies in the truck, likewise.
        service_s: time at the site.
        prize_eur: what the visit is worth; None makes it mandatory.
    """

    site: Site
    containers: tuple[int, ...]
    kg: tuple[float, ...]
    litres: tuple[float, ...]
    service_s: int
    prize_eur: float | None


def candidates(outlook: Outlook, choice: Choice, occasion: Occasion) -> tuple[Candidate, ...]:
    """Merge the chosen containers of each site into one possible visit.

    A site whose prizes do not even pay for the time at its stop is left out: no detour could
    be short enough.
    """
    by_site: dict[str, list[int]] = {}
    for index in np.flatnonzero(choice.take).tolist():
        by_site.setdefault(outlook.containers[index].site, []).append(index)
    merged = (_merge(name, chosen, outlook, choice, occasion) for name, chosen in by_site.items())
    return tuple(candidate for candidate in merged if candidate is not None)


def _merge(
    name: str, chosen: list[int], outlook: Outlook, choice: Choice, occasion: Occasion
) -> Candidate | None:
    prize = float(choice.prize_eur[chosen].sum())
    mandatory = bool(choice.mandatory[chosen].any())
    if not mandatory and prize <= occasion.site_eur + len(chosen) * occasion.container_eur:
        return None
    return site_visit(name, chosen, outlook, occasion, None if mandatory else prize)


def site_visit(
    name: str,
    chosen: Sequence[int],
    outlook: Outlook,
    occasion: Occasion,
    prize_eur: float | None = 0.0,
) -> Candidate:
    """Return a visit that empties some of a site's containers, with what that weighs and takes."""
    service = occasion.service
    kg, litres = [0.0] * len(service.fractions), [0.0] * len(service.fractions)
    for index in chosen:
        container = outlook.containers[index]
        fraction = occasion.region.fraction_by_id[container.fraction]
        row = service.fractions.index(container.fraction)
        level = min(max(float(outlook.level[index]), EMPTY_LEVEL), FULLEST)
        weight = container.volume_l / 1000 * level * fraction.container_kg_per_m3
        kg[row] += weight
        litres[row] += weight / fraction.truck_kg_per_m3 * 1000
    return Candidate(
        site=occasion.region.site_by_id[name],
        containers=tuple(chosen),
        kg=tuple(kg),
        litres=tuple(litres),
        service_s=service.site_s + len(chosen) * service.container_s,
        prize_eur=prize_eur,
    )
