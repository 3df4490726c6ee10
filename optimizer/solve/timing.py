"""The engines' clock: earliest times along a tour, breaks included.

One label per chain of breaks and number of them taken: the earliest time at which the truck can
leave. Breaks of a chain are taken in their order. This is quick and never optimistic; what it calls
feasible, the judge finds legal. Its compiled twin is `optimizer.solve.sisr.labels`, which keeps the
latest times, too, but knows one chain of breaks only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.solve.facts import FAR_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import BreakRule
    from optimizer.solve.facts import Facts, Kind

STEP_S = 300  # between the later starts that are tried

Labels = tuple[tuple[int, int], ...]  # per chain and breaks taken: ready, driven since the last


@dataclass(frozen=True, slots=True)
class _Pause:
    duration_s: int
    earliest_s: int
    latest_s: int
    due_after_s: int
    resets: bool


class Clock:
    """Times tours of one kind of truck."""

    def __init__(self, facts: Facts, kind: Kind) -> None:
        self._facts = facts
        truck = kind.truck
        self._start_at = truck.start
        self._end_at = truck.end
        self._shift = (truck.shift.earliest_s, truck.shift.latest_s)
        self._chains: list[tuple[int, tuple[_Pause, ...]]] = []
        self._width = 0  # labels in all; each chain has its own from an offset on
        for chain in dict.fromkeys(truck.break_chains):
            self._chains.append((self._width, tuple(_pause(rule) for rule in chain)))
            self._width += len(chain) + 1
        self._stretch_s = truck.max_driving_between_breaks_s
        self._latest_start_s = self._shift[1]
        if truck.latest_start_s is not None:
            self._latest_start_s = min(truck.latest_start_s, self._shift[1])
        self._kind = kind
        self._max_tour_s = truck.max_tour_s
        self._began_s: int | None = None  # of a truck that is underway
        self._driven_s = 0
        if truck.underway is not None:
            self._began_s = truck.underway.started_s
            self._driven_s = truck.underway.driven_since_break_s
            if self._stretch_s is not None:  # beyond it no second may be driven before a break
                self._driven_s = min(self._driven_s, self._stretch_s)

    def leave(self, first: int) -> int:
        """Return when to leave the start so as not to wait at the first node."""
        if self._began_s is not None:
            return self._shift[0]
        facts = self._facts
        opens = facts.windows[first][0][0] if facts.windows[first] else 0
        leave_s = opens - facts.travel_s[self._start_at][facts.location[first]]
        return max(self._shift[0], min(leave_s, self._latest_start_s))

    def begin(self, start_s: int) -> Labels:
        """Return the labels at the start of a tour."""
        labels = [(FAR_S, 0)] * self._width
        for offset, _ in self._chains:
            labels[offset] = (start_s, self._driven_s)
        return tuple(labels)

    def step(self, labels: Labels, place: int, node: int) -> Labels | None:
        """Return the labels after a node, coming from a location; None when it is too late."""
        facts = self._facts
        arrived = self._drive(labels, facts.travel_s[place][facts.location[node]])
        windows, service_s = facts.windows[node], facts.service_s[node]
        if node in facts.queues:
            return _queued(facts.queues[node], service_s, arrived)
        alive = False
        served = []
        for ready_s, driven_s in arrived:
            start_s = FAR_S
            if ready_s < FAR_S:
                start_s = ready_s
                if windows:
                    start_s = FAR_S
                    for opens, closes in windows:
                        if ready_s <= closes:
                            start_s = ready_s if ready_s > opens else opens
                            break
            if start_s < FAR_S:
                alive = True
                served.append((start_s + service_s, driven_s))
            else:
                served.append((FAR_S, 0))
        return tuple(served) if alive else None

    def end(self, labels: Labels, place: int, start_s: int) -> int | None:
        """Return when the tour ends, coming from a location; None when that breaks a rule.

        The limit of a tour's length is left to `too_long`, for another start may keep it.
        """
        arrived = self._drive(labels, self._facts.travel_s[place][self._end_at])
        began_s = start_s if self._began_s is None else self._began_s
        best: int | None = None
        for offset, pauses in self._chains:
            for taken in range(len(pauses) + 1):
                end_s = arrived[offset + taken][0]
                if (
                    end_s <= self._shift[1]
                    and (best is None or end_s < best)
                    and not any(
                        end_s > pause.earliest_s and end_s - began_s > pause.due_after_s
                        for pause in pauses[taken:]
                    )
                ):
                    best = end_s
        return best

    def too_long(self, start_s: int, end_s: int) -> bool:
        """Whether a tour of this span is longer than it may be."""
        if self._max_tour_s is None:
            return False
        return end_s - (start_s if self._began_s is None else self._began_s) > self._max_tour_s

    def run(self, labels: Labels, place: int, nodes: Sequence[int], start_s: int) -> int | None:
        """Return when a tour ends that goes on through some nodes; None when it cannot."""
        location = self._facts.location
        for node in nodes:
            following = self.step(labels, place, node)
            if following is None:
                return None
            labels, place = following, location[node]
        return self.end(labels, place, start_s)

    def latest_start(self, nodes: Sequence[int], start_s: int, end_s: int) -> int:
        """Return the latest start with which a tour ends no later."""
        if self._began_s is not None:
            return start_s
        good, bad = start_s, min(end_s, self._latest_start_s + 1)
        while bad - good > 1:
            middle = (good + bad) // 2
            end = self.run(self.begin(middle), self._start_at, nodes, middle)
            good, bad = (middle, bad) if end is not None and end <= end_s else (good, middle)
        return good

    def cheapest_start(self, nodes: Sequence[int], start_s: int, end_s: int) -> int:
        """Return the start with which the hours of a tour cost least, as far as one looks.

        Without queues a tour that ends later is no shorter, unless it misses the only window.
        """
        if self._began_s is not None:
            return start_s
        best_s = self.latest_start(nodes, start_s, end_s)
        if not self._facts.queues:
            return best_s
        best_eur = self._kind.hours_eur(best_s, end_s)
        for later_s in range(best_s + STEP_S, self._latest_start_s + 1, STEP_S):
            ends_s = self.run(self.begin(later_s), self._start_at, nodes, later_s)
            if ends_s is None:
                break
            if not self.too_long(later_s, ends_s):
                eur = self._kind.hours_eur(later_s, ends_s)
                if eur < best_eur - 1e-9:
                    best_s, best_eur = later_s, eur
        return best_s

    def _drive(self, labels: Labels, leg_s: int) -> list[tuple[int, int]]:
        """Return the labels on arrival; a break on the leg is taken as late as it may be."""
        stretch_s = self._stretch_s
        if self._width == 1:
            ready_s, driven_s = labels[0]
            far = stretch_s is not None and driven_s + leg_s > stretch_s
            return [(FAR_S, 0) if far else (ready_s + leg_s, driven_s + leg_s)]
        arrived = [(FAR_S, 0)] * len(labels)
        for offset, pauses in self._chains:
            self._drive_chain(labels, leg_s, offset, pauses, arrived)
        return arrived

    def _drive_chain(
        self,
        labels: Labels,
        leg_s: int,
        offset: int,
        pauses: tuple[_Pause, ...],
        arrived: list[tuple[int, int]],
    ) -> None:
        """Write the labels of one chain on arrival."""
        stretch_s, most = self._stretch_s, len(pauses)
        for taken in range(most + 1):
            ready_s, driven_s = labels[offset + taken]
            if ready_s >= FAR_S:
                continue
            now_s, rest_s, since_s, count = ready_s, leg_s, driven_s, taken
            while True:
                if stretch_s is None or since_s + rest_s <= stretch_s:
                    reached = (now_s + rest_s, since_s + rest_s)
                    if reached < arrived[offset + count]:
                        arrived[offset + count] = reached
                if count == most:
                    break
                pause = pauses[count]
                ahead_s = pause.latest_s - now_s
                if ahead_s > rest_s:
                    ahead_s = rest_s
                if stretch_s is not None and ahead_s > stretch_s - since_s:
                    ahead_s = stretch_s - since_s
                begin_s = now_s + ahead_s
                if begin_s < pause.earliest_s:
                    begin_s = pause.earliest_s
                if ahead_s < 0:
                    break
                since_s = 0 if pause.resets else since_s + ahead_s
                now_s, rest_s, count = begin_s + pause.duration_s, rest_s - ahead_s, count + 1


def _pause(rule: BreakRule) -> _Pause:
    return _Pause(
        rule.duration_s, rule.earliest_start_s, rule.latest_start_s, rule.due_after_s,
        rule.resets_driving,
    )  # fmt: skip


def _queued(
    joins: Sequence[tuple[int, int, int]], service_s: int, arrived: Sequence[tuple[int, int]]
) -> Labels | None:
    """Return the labels after a facility with a queue: done as early as any way to wait allows."""
    served = []
    for ready_s, driven_s in arrived:
        starts = [max(ready_s, opens) + wait for opens, closes, wait in joins if ready_s <= closes]
        if ready_s < FAR_S and starts:
            served.append((min(starts) + service_s, driven_s))
        else:
            served.append((FAR_S, 0))
    return tuple(served) if any(done_s < FAR_S for done_s, _ in served) else None
