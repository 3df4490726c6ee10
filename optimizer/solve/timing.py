"""The engines' clock: earliest times along a tour, breaks included.

One label per number of breaks taken: the earliest time at which the truck can leave. Where a tour
may owe several breaks they are taken in their order. This is quick and never optimistic; what it
calls feasible, the judge finds legal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.solve.facts import FAR_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.solve.facts import Facts, Kind

Labels = tuple[tuple[int, int], ...]  # per number of breaks taken: ready, driven since the last


@dataclass(frozen=True, slots=True)
class _Pause:
    duration_s: int
    earliest_s: int
    latest_s: int
    due_after_s: int


class Clock:
    """Times tours of one kind of truck."""

    def __init__(self, facts: Facts, kind: Kind) -> None:
        self._facts = facts
        truck = kind.truck
        self._start_at = truck.start
        self._end_at = truck.end
        self._shift = (truck.shift.earliest_s, truck.shift.latest_s)
        self._pauses = tuple(
            _Pause(rule.duration_s, rule.earliest_start_s, rule.latest_start_s, rule.due_after_s)
            for rule in truck.breaks
        )
        self._stretch_s = truck.max_driving_between_breaks_s

    def leave(self, first: int) -> int:
        """Return when to leave the start so as not to wait at the first node."""
        facts = self._facts
        opens = facts.windows[first][0][0] if facts.windows[first] else 0
        return max(self._shift[0], opens - facts.travel_s[self._start_at][facts.location[first]])

    def begin(self, start_s: int) -> Labels:
        """Return the labels at the start of a tour."""
        return ((start_s, 0), *((FAR_S, 0) for _ in self._pauses))

    def step(self, labels: Labels, place: int, node: int) -> Labels | None:
        """Return the labels after a node, coming from a location; None when it is too late."""
        facts = self._facts
        arrived = self._drive(labels, facts.travel_s[place][facts.location[node]])
        windows, service_s = facts.windows[node], facts.service_s[node]
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
        """Return when the tour ends, coming from a location; None when that breaks a rule."""
        arrived = self._drive(labels, self._facts.travel_s[place][self._end_at])
        best: int | None = None
        for taken, (end_s, _) in enumerate(arrived):
            if (
                end_s <= self._shift[1]
                and (best is None or end_s < best)
                and not any(
                    end_s > pause.earliest_s and end_s - start_s > pause.due_after_s
                    for pause in self._pauses[taken:]
                )
            ):
                best = end_s
        return best

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
        good, bad = start_s, end_s
        while bad - good > 1:
            middle = (good + bad) // 2
            end = self.run(self.begin(middle), self._start_at, nodes, middle)
            good, bad = (middle, bad) if end is not None and end <= end_s else (good, middle)
        return good

    def _drive(self, labels: Labels, leg_s: int) -> list[tuple[int, int]]:
        """Return the labels on arrival; a break on the leg is taken as late as it may be."""
        pauses, stretch_s = self._pauses, self._stretch_s
        if not pauses:
            ready_s, driven_s = labels[0]
            far = stretch_s is not None and driven_s + leg_s > stretch_s
            return [(FAR_S, 0) if far else (ready_s + leg_s, driven_s + leg_s)]
        arrived = [(FAR_S, 0)] * len(labels)
        for taken, (ready_s, driven_s) in enumerate(labels):
            if ready_s >= FAR_S:
                continue
            now_s, rest_s, since_s, count = ready_s, leg_s, driven_s, taken
            while True:
                if stretch_s is None or since_s + rest_s <= stretch_s:
                    reached = (now_s + rest_s, since_s + rest_s)
                    if reached < arrived[count]:
                        arrived[count] = reached
                if count == len(pauses):
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
                now_s, rest_s, since_s, count = (
                    begin_s + pause.duration_s, rest_s - ahead_s, 0, count + 1
                )  # fmt: skip
        return arrived
