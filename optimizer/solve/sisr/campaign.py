"""The phases of a search: fill, shorten, give up trucks, then anneal and cross; on two threads.

A search has a number of steps and an instant to stop at. The same seed and steps give the same
plan as long as the instant does not come first; near it, the cooling follows the clock. Where no
steps are counted the instant alone decides.

A tight fleet: what finds no place is first given more trucks than there are, as a detour, and
these are then given up one by one (`optimizer.solve.sisr.spare`). Whoever gives up a truck lets
its visits be left out at a price for a while, which grows: they come in where it is cheap.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.sisr.annealing import anneal, ready
from optimizer.solve.sisr.arrays import MANDATORY_EUR, has_clock, hours_s
from optimizer.solve.sisr.assembly import assembled
from optimizer.solve.sisr.crossover import crossover
from optimizer.solve.sisr.plan import Plan, cost_of, plan_of
from optimizer.solve.sisr.schedule import UNCOUNTED, Schedule, part
from optimizer.solve.sisr.shares import joined, shares, visits_of
from optimizer.solve.sisr.spare import alike, renamed, surplus, with_more_trucks
from optimizer.solve.sisr.state import new_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from optimizer.solve.sisr.arrays import Arrays

HOT, COLD = 1.0, 0.003  # first and last temperature, as a share of a visit's mean way
THREADS = 2
DIVIDED = 8  # tours from which on the threads share one plan instead of making two,
DIVIDED_VISITS = 600  # and visits: a smaller day gains more from all tours being open to each step
ROUNDS = 24  # divisions of a plan
SPARE = 2  # trucks of each kind kept ready besides those in use
FILL = 0.04  # share of the time to find a place for everything in the fleet as it is
FAILS = 4  # trucks in a row that cannot be given up, after which none can
TRY, TRIES = 0.03, 8  # share of the time to try to give up one truck, and how often it is tried
WARM, COOL = 0.3, 0.03  # temperature of the first try and behind the last, as `HOT`
PRICE, DEARER = 6.0, 1.5  # of what finds no place then, in mean costs of a visit, and its growth
FEW = 3  # visits without a place that are always worth another try
SHORTENED = 0.015  # share of the time to shorten tours after a truck is given up
CROSSED = 0.5  # share of the time of all beginnings in which their plans are crossed:
LONG = 16  # visits a tour, on average, from which on plans are crossed by ways, not by whole tours
ROUND_S, SHORT_ROUND_S = 0.025, 0.01  # a visit, that an anneal is worth before another beginning
CHILD_S, SHORT_CHILD_S = 0.0015, 0.0004  # a visit, to anneal what comes of crossing;
MILD = 0.05  # and how hot, as `HOT`
SAME = 1e-6  # share of the cost by which two plans differ at least
LEAST_DRIVING = 0.8  # of a day's driving that is left at best when a truck is given up
DECLINED = 0.3  # of the optional visits left out, from which on they are made dearer for a while
LURE, LURED = 3.0, 0.2  # by which factor, and for which share of the time


class Campaign:
    """A search for one problem.

    Args:
        P: the problem.
        seed: of the random numbers.
        threads: at most so many at once.
    """

    def __init__(self, P: Arrays, seed: int, threads: int = THREADS) -> None:  # noqa: N803
        self._P = P
        self._seed = seed
        self._random = np.random.default_rng(seed)
        self._threads = threads
        self._spares = alike(P)
        self._spare = SPARE
        self._budget_s, self._until = 0.0, 0.0

    def run(self, start: Plan, steps: int, until: float) -> Plan:
        """Return the best plan found from a start."""
        began = monotonic()
        if not self._P.visits or steps <= 0:
            return start
        self._budget_s, self._until, plan = until - began, until, start
        if self._missing(plan):
            plan = self._fill(plan, steps, self._soon(steps, FILL))
        if self._missing(plan):
            found = self._by_spare_trucks(plan, steps, began + 0.7 * self._budget_s)
            if self._missing(found) < self._missing(plan):
                plan = found
        else:
            plan = self._smaller_fleet(plan, steps, began + 0.6 * self._budget_s)
        before = plan
        if self._mostly_declined(plan):
            plan = self._lured(plan, steps, monotonic() + LURED * (until - monotonic()))
        found = self._anew(plan, start, steps, until)
        return min(found, before, key=lambda one: cost_of(self._P, one))

    def _anew(self, plan: Plan, start: Plan, steps: int, until: float) -> Plan:
        """Anneal a plan and, where there is time for it, begin again from the start, and cross.

        What an anneal hardly changes is which truck takes a break, or who comes before a window:
        such a day gains more from other beginnings, and from tours of one plan in another, than
        from a longer anneal. Days without a clock do not.
        """
        again = steps >= UNCOUNTED and has_clock(self._P) and not self._large(plan)
        by_ways = self._by_ways(plan)
        round_s = (SHORT_ROUND_S if by_ways else ROUND_S) * self._P.visits
        rounds = int((until - monotonic()) / round_s) if again else 1
        if rounds < 2:
            return self._anneal(plan, steps, until, HOT, COLD)
        other = start if self._missing(start) <= self._missing(plan) else plan
        population: list[Plan] = []
        scale, crossed_from = self.scale(plan), until - CROSSED * (until - monotonic())
        rounds = max((rounds + 1) // 2, 3 - self._threads)  # two plans at least
        for number in range(rounds):
            now = monotonic()
            end = now + (crossed_from - now) / (rounds - number)
            schedule = Schedule(steps, now, end, HOT * scale, COLD * scale)
            population += self._each(other if number else plan, schedule, self._threads)
        return self._crossed(population, until, by_ways)

    def _by_ways(self, plan: Plan) -> bool:
        """Whether to cross by ways: where tours are long, plans hardly share any.

        Of larger days too few plans can be made in the usual time.
        """
        served, visits = self._P.visits - len(plan.left_out), self._P.visits
        long = served >= LONG * max(1, len(plan.used))
        return long and visits <= DIVIDED_VISITS and len(self._spares) == 1

    def _crossed(self, population: list[Plan], until: float, by_ways: bool) -> Plan:
        """Cross plans until some instant and anneal what comes; return the best plan.

        A plan that comes out better takes the place of the worse of the two behind it, so that
        plans stay different from each other for long.
        """
        seeds = [self._next_seed() for _ in range(self._threads)]
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(lambda seed: self._cross(population, seed, until, by_ways), seeds))
        return min(population, key=lambda plan: plan.eur)

    def _cross(self, population: list[Plan], seed: int, until: float, by_ways: bool) -> None:
        """Do the work of `_crossed` on one thread; all share the population."""
        P, random = self._P, np.random.default_rng(seed)  # noqa: N806
        members = np.arange(P.visits, dtype=np.int32)
        while (now := monotonic()) < until:
            one, other = (int(index) for index in random.choice(len(population), 2, replace=False))
            worse = max(one, other, key=lambda index: population[index].eur)
            child = self._child(population[one], population[other], by_ways, random)
            child = child or population[one]  # where both are the same there: anneal on
            scale, child_s = self.scale(population[worse]), SHORT_CHILD_S if by_ways else CHILD_S
            end = min(until, now + child_s * P.visits)
            schedule = Schedule(UNCOUNTED, now, end, MILD * scale, COLD * scale)
            seed = int(random.integers(2**31))
            _, found = self.phase(self.with_spares(child), members, schedule, seed)
            same = any(abs(found.eur - plan.eur) < SAME * found.eur for plan in population)
            if not same and found.eur < population[worse].eur:
                population[worse] = found

    def _child(
        self, one: Plan, other: Plan, by_ways: bool, random: np.random.Generator
    ) -> Plan | None:
        """Return a plan that takes ways or tours over from another one."""
        if by_ways:
            return assembled(self._P, one, other, self._spares[0], random)
        return crossover(self._P, one, other, self._spares, random)

    def _mostly_declined(self, plan: Plan) -> bool:
        """Whether many optional visits are left out."""
        optional = self._P.price < MANDATORY_EUR
        return bool(optional[plan.left_out].sum() > DECLINED * max(1, int(optional.sum())))

    def _lured(self, plan: Plan, steps: int, until: float) -> Plan:
        """Return a plan made as if optional visits were worth more.

        No single visit pays for a way that several pay for together; where all are dear, such
        tours begin, and what is not worth its own detour leaves them again at the true prices.
        """
        real = self._P
        optional = real.price < MANDATORY_EUR
        dear = real._replace(price=real.price * np.where(optional, LURE, 1.0))
        with self._as_if(dear, len(real.kind)):
            return self._anneal(plan, part(steps, 4), until, HOT / 3, COLD)

    @contextmanager
    def _as_if(self, P: Arrays, spare: int) -> Iterator[None]:  # noqa: N803
        """Search for a while as if another problem were to be solved, with so many spare trucks."""
        real = self._P, self._spares, self._spare
        self._P, self._spares, self._spare = P, alike(P), spare
        try:
            yield
        finally:
            self._P, self._spares, self._spare = real

    def _fill(self, plan: Plan, steps: int, until: float) -> Plan:
        """Find a place for what is left out."""
        scale = self.scale(plan)
        schedule = Schedule(
            part(steps, 8), monotonic(), until, 0.02 * scale, 0.02 * scale, enough=0
        )
        return self._side_by_side(plan, schedule, self._threads)

    def _by_spare_trucks(self, plan: Plan, steps: int, until: float) -> Plan:
        """Serve everything with more trucks than there are, then give up those too many."""
        real = self._P
        with self._as_if(with_more_trucks(real), SPARE):
            wide = replace(plan, tours=dict(plan.tours))
            wide = self._fill(wide, steps, self._soon(steps, 0.11))
            if self._missing(wide):
                return plan
            wide = self._anneal(wide, part(steps, 8), self._soon(steps, 0.15), HOT / 3, COLD)
            self._spare, fails = 0, 0
            while many := surplus(self._P, real, wide):
                if fails == FAILS or monotonic() >= until:
                    return plan
                found = self._without_one_of(wide, many, steps)
                fails, wide = (0, found) if found else (fails + 1, wide)
            return renamed(self._P, real, wide)

    def _without_one_of(self, plan: Plan, trucks: list[int], steps: int) -> Plan | None:
        """Give up one of some trucks, likely one of little load; then shorten a little."""
        which = min(int(self._random.geometric(0.6)) - 1, len(trucks) - 1)
        found = self._without(plan, trucks[which], steps)
        if self._missing(found) > self._missing(plan):
            return None
        return self._shortened(found, steps)

    def _shortened(self, plan: Plan, steps: int) -> Plan:
        """Shorten the tours of a plan a little."""
        return self._anneal(plan, part(steps, 48), self._soon(steps, SHORTENED), HOT / 6, COLD)

    def _anneal(self, plan: Plan, steps: int, until: float, hot: float, cold: float) -> Plan:
        scale = self.scale(plan)
        schedule = Schedule(steps, monotonic(), until, hot * scale, cold * scale)
        if self._threads > 1 and self._large(plan):
            return self._divided(plan, schedule)
        alone = schedule.counted and self._P.visits < 150
        return self._side_by_side(plan, schedule, 1 if alone else self._threads)

    def _large(self, plan: Plan) -> bool:
        return self._P.visits > DIVIDED_VISITS and len(plan.used) >= DIVIDED

    def with_fewer_trucks(self, plan: Plan, steps: int, until: float) -> Plan:
        """Return a plan with as few trucks as are found until some instant."""
        self._budget_s, self._until = until - monotonic(), until
        return self._smaller_fleet(plan, steps, until)

    def _smaller_fleet(self, plan: Plan, steps: int, until: float) -> Plan:
        """Shorten, then give up trucks one by one as long as that makes the plan cheaper."""
        if not self._droppable(plan):
            return plan
        plan = self._anneal(plan, part(steps, 6), self._soon(steps, 0.15), HOT / 3, COLD)
        fails = 0
        while fails < 2 and monotonic() < until and (droppable := self._droppable(plan)):
            which = 0 if not fails else int(self._random.integers(min(len(droppable), 2 + fails)))
            found = self._without(plan, droppable[which], steps)
            if self._missing(found) <= self._missing(plan):
                found = self._shortened(found, steps)
            if self._missing(found) <= self._missing(plan) and found.eur < plan.eur:
                plan, fails = found, 0
            else:
                fails += 1
        return plan

    def _without(self, plan: Plan, truck: int, steps: int) -> Plan:
        """Let the other trucks in use take over what one has to do.

        What finds no place has a price that grows until it finds one: so the tours stay short
        meanwhile, which makes room sooner than to force in what is left out.
        """
        real, enough = self._P, self._missing(plan)
        rest = {t: nodes for t, nodes in plan.tours.items() if t != truck and len(nodes)}
        visits = plan.tours[truck][plan.tours[truck] < real.visits]
        found = replace(plan, tours=rest, left_out=np.concatenate([plan.left_out, visits]))
        scale, price = self.scale(plan), PRICE * self._per_visit(plan)
        for number in range(TRIES):
            warm_eur = WARM * (COOL / WARM) ** (number / TRIES) * scale
            priced = np.where(real.price >= MANDATORY_EUR, price, real.price)
            with self._as_if(real._replace(price=priced), 0):
                until = self._soon(steps, TRY)
                schedule = Schedule(part(steps, 24), monotonic(), until, warm_eur, warm_eur)
                found = self._side_by_side(found, schedule, self._threads)
            missing = self._missing(found) - enough
            if missing <= 0 or missing > max(FEW, len(visits) / 4**number):
                break
            price *= DEARER
        return replace(found, eur=cost_of(real, found))

    def _per_visit(self, plan: Plan) -> float:
        """Return what a visit costs on average."""
        P = self._P  # noqa: N806
        left_out = float(P.price[plan.left_out].sum())
        return max((plan.eur - left_out) / max(1, P.visits - len(plan.left_out)), 1e-6)

    def _droppable(self, plan: Plan) -> list[int]:
        """Return trucks whose fixed cost could be saved, the least loaded first."""
        P = self._P  # noqa: N806
        costly = [truck for truck in plan.used if P.kinds["fixed_eur"][P.kind[truck]] > 0]
        costly.sort(key=lambda truck: int((plan.tours[truck] < P.visits).sum()))
        return [truck for truck in costly[:6] if self._could_do_without(plan, truck)]

    def _could_do_without(self, plan: Plan, truck: int) -> bool:
        """Whether the day's limits and hours of the other trucks add up to what is to be done."""
        P = self._P  # noqa: N806
        others = [P.kind[other] for other in plan.used if other != truck]
        mandatory = P.price >= MANDATORY_EUR
        mandatory[plan.left_out] = False
        if not (P.amount[mandatory].sum(axis=0) <= P.day_limit[others].sum(axis=0)).all():
            return False
        return int(mandatory.sum()) < P.visits or self._work_s(plan) <= hours_s(P, others)

    def _work_s(self, plan: Plan) -> float:
        """Return what the tours take, driving as little as can be hoped for."""
        P, work_s = self._P, 0.0  # noqa: N806
        for truck in plan.used:
            kind, nodes = P.kind[truck], plan.tours[truck]
            way = np.array([P.kinds["start"][kind], *nodes, P.kinds["end"][kind]])
            driving_s = P.seconds[way[:-1], way[1:]].sum()
            work_s += LEAST_DRIVING * float(driving_s) + float(P.service_s[nodes].sum())
        return work_s

    def _soon(self, steps: int, share: float) -> float:
        """Return when a phase ends that has a share of the time; where steps count, they do."""
        return monotonic() + share * self._budget_s if steps >= UNCOUNTED else self._until

    def _missing(self, plan: Plan) -> int:
        return int((self._P.price[plan.left_out] >= MANDATORY_EUR).sum())

    def scale(self, plan: Plan) -> float:
        """Return what the way to a visit costs on average."""
        P = self._P  # noqa: N806
        eur, stops = 0.0, 0
        for truck, nodes in plan.tours.items():
            if len(nodes):
                kind = P.kind[truck]
                way = [P.kinds["start"][kind], *nodes, P.kinds["end"][kind]]
                eur += float(P.euro[P.kinds["tariff"][kind], way[:-1], way[1:]].sum())
                stops += int((nodes < P.visits).sum())
        if not stops:
            near = P.near[:, :3].astype(np.int64)
            legs = np.take_along_axis(P.euro[0, : P.visits, : P.visits], near, 1)
            eur, stops = float(legs.sum()), max(1, legs.size)
        return max(eur / stops, 1e-6)

    def _side_by_side(self, plan: Plan, schedule: Schedule, threads: int) -> Plan:
        """Search on several threads from the same plan; the best result counts."""
        return min(self._each(plan, schedule, threads), key=lambda found: found.eur)

    def _each(self, plan: Plan, schedule: Schedule, threads: int) -> list[Plan]:
        """Search on several threads from the same plan; return what each finds."""
        members = np.arange(self._P.visits, dtype=np.int32)
        plan = self.with_spares(plan)
        met = Event() if schedule.enough is not None and not schedule.counted else None
        jobs = [(plan, members, schedule, self._next_seed(), met) for _ in range(threads)]
        return [best for _, best in self._together(jobs)]

    def _divided(self, plan: Plan, schedule: Schedule) -> Plan:
        """Let each thread anneal a share of the tours, divided anew every round."""
        best = current = self.with_spares(plan)
        began, span = schedule.began, schedule.until - schedule.began
        ratio = schedule.cold / schedule.hot
        for number in range(ROUNDS):
            late = (monotonic() - began) / max(span, 1e-9)
            if late >= 1.0:
                break
            end = (number + 1) / ROUNDS
            round_ = Schedule(
                part(schedule.steps, ROUNDS), monotonic(), began + end * span,
                schedule.hot * ratio ** (number / ROUNDS), schedule.hot * ratio**end,
            )  # fmt: skip
            if round_.until <= round_.began:
                continue
            divided = shares(self._P, current, self._threads, number % 2 == 1, self._random)
            jobs = [
                (share, visits_of(self._P, share), round_, self._next_seed(), None)
                for share in divided
            ]
            found = self._together(jobs)
            current = joined([after for after, _ in found])
            candidate = joined([least for _, least in found])
            if candidate.eur < best.eur:
                best = candidate
        return best

    def _together(
        self, jobs: Sequence[tuple[Plan, NDArray[np.int32], Schedule, int, Event | None]]
    ) -> list[tuple[Plan, Plan]]:
        if len(jobs) == 1:
            return [self.phase(*jobs[0])]
        with ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(lambda job: self.phase(*job), jobs))

    def phase(
        self,
        plan: Plan,
        members: NDArray[np.int32],
        schedule: Schedule,
        seed: int,
        met: Event | None = None,
    ) -> tuple[Plan, Plan]:
        """Anneal; return the plan at the end and the best one.

        Args:
            plan: where to begin.
            members: the visits that belong to the search.
            schedule: how long, and how it cools.
            seed: of the random numbers.
            met: set by the first of several threads that has enough; then all stop.
        """
        P = self._P  # noqa: N806
        state = new_state(P, plan.tours, plan.left_out, members, seed)
        best = new_state(P, plan.tours, plan.left_out, members, seed)
        current_eur = best_eur = float(ready(P, state))
        if not len(members):
            return plan_of(state, current_eur), plan_of(best, best_eur)
        done, chunk = 0, schedule.first_chunk
        while done < schedule.steps and (now := monotonic()) < schedule.until:
            if schedule.enough is not None and self._missing(plan_of(best, 0)) <= schedule.enough:
                if met is not None:
                    met.set()
                break
            if met is not None and met.is_set():
                break
            steps = min(chunk, schedule.steps - done)
            current_eur, best_eur = anneal(
                P, state, best, members, steps, schedule.temperature(done), current_eur, best_eur
            )
            done += steps
            chunk = schedule.next_chunk(chunk, monotonic() - now)
        return plan_of(state, current_eur), plan_of(best, best_eur)

    def with_spares(self, plan: Plan) -> Plan:
        """Return a plan of the trucks in use and some of each kind that are not."""
        tours = {truck: plan.tours[truck] for truck in plan.used}
        spare = len(self._P.kind) if self._spare and self._missing(plan) else self._spare
        for group in self._spares:
            idle = [truck for truck in group if truck not in tours][:spare]
            tours.update({truck: np.zeros(0, np.int32) for truck in idle})
        return replace(plan, tours=tours)

    def _next_seed(self) -> int:
        return int(self._random.integers(2**31))
