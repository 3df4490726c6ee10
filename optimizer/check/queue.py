"""When service begins for a truck that is ready: windows, and the queue at a facility."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.model import QueueSpan, TimeWindow


def earliest_start(
    windows: Sequence[TimeWindow], queue: Sequence[QueueSpan], ready_s: int
) -> int | None:
    """Return when service begins at the earliest; None when no window is left.

    A truck joins the queue within a window. It may stay outside until the queue is shorter, so
    the earliest start is the least of t + wait(t) over all t from `ready_s` on: who comes earlier
    is never served later (first in, first out). The wait is constant between steps, so only the
    first instants of spans and windows can be best.
    """
    starts = [joined + _wait_s(queue, joined) for joined in _joins(windows, queue, ready_s)]
    return min(starts, default=None)


def _joins(
    windows: Sequence[TimeWindow], queue: Sequence[QueueSpan], ready_s: int
) -> Iterator[int]:
    """Yield the instants at which joining can be best."""
    instants = [ready_s, *(span.from_s for span in queue if span.from_s > ready_s)]
    if not windows:
        yield from instants
        return
    for window in windows:
        opens = max(ready_s, window.earliest_s)
        yield from (t for t in (opens, *instants) if opens <= t <= window.latest_s)


def _wait_s(queue: Sequence[QueueSpan], joined_s: int) -> int:
    """Return the wait of who joins at a time."""
    wait_s = 0
    for span in queue:
        if span.from_s > joined_s:
            break
        wait_s = span.wait_s
    return wait_s
