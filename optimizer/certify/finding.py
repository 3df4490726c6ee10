"""What judging a tour by a rule can say: broken, a note, not judged, not applied."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer.explain import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule, or a note.

    Attributes:
        rule: its id in the law.
        tour: name of the tour.
        stop: name of the stop at fault, if there is one.
        line: of the plan's file.
        value: what was found, in the rule's unit; likewise `limit`, what is allowed.
        facts: what else the rule's message names.
        note: it breaks nothing.
    """

    rule: str
    tour: str
    stop: str | None = None
    line: int | None = None
    value: float | None = None
    limit: float | None = None
    facts: Mapping[str, str | Text] = field(default_factory=dict)
    note: bool = False


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule that a tour cannot be judged by, and what the plan lacks for it."""

    rule: str
    tour: str
    needs: Text


@dataclass(frozen=True, slots=True)
class NotApplied:
    """A rule that does not bind a tour, and why."""

    rule: str
    tour: str
    why: Text


Outcome = Finding | NotJudged | NotApplied


def duration(seconds: float) -> str:
    """Write a span of time as 4 h 31 min, 45 min or 20 s."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"
