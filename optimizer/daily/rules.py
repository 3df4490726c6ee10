"""The law on a driver's day, as breaks and limits of a tour.

- ArbZG §3: at most 10 h of work a day.
- ArbZG §4: 30 min of break for more than 6 h of work, 45 min for more than 9 h, in pieces of at
  least 15 min, and never more than 6 h of work without one.
- VO (EG) 561/2006 Art. 6: at most 9 h of driving a day; Art. 7: after at most 4.5 h of driving a
  break of 45 min. Taken in one piece it satisfies ArbZG §4 too.
"""

from dataclasses import dataclass

from config.region import RuleProfile
from optimizer.model import BreakRule, TimeWindow

H = 3600
WORK_S = 10 * H
STRETCH_S = 6 * H  # of work without a break
LONG_DAY_S = 9 * H  # of work, from which 45 min are due
HALF_HOUR_S, QUARTER_S, THREE_QUARTERS_S = 1800, 900, 2700
DRIVING_STRETCH_S = 4 * H + 1800
DRIVING_DAY_S = 9 * H
NOT_BEFORE_S = 2 * H  # after the shift's start: a break right away is none

ARBZG = "ArbZG §4"
EU561_BREAK = "VO (EG) 561/2006 Art. 7, ArbZG §4"
EU561_DRIVING = "VO (EG) 561/2006 Art. 6, 7"


@dataclass(frozen=True)
class DayRules:
    """What a shift allows: see `optimizer.model.Truck` for the fields."""

    shift: TimeWindow
    breaks: tuple[BreakRule, ...]
    max_driving_s: int | None = None
    max_driving_between_breaks_s: int | None = None
    driving_rule: str = ""


def day_rules(profile: RuleProfile, shift: TimeWindow) -> DayRules:
    """Return the rules of a shift under a profile; a shift longer than the law allows is cut."""
    start = shift.earliest_s
    shift = TimeWindow(start, min(shift.latest_s, start + WORK_S + THREE_QUARTERS_S))
    if profile is RuleProfile.EU561:
        single = _main_break(EU561_BREAK, THREE_QUARTERS_S, shift)
        return DayRules(shift, single, DRIVING_DAY_S, DRIVING_STRETCH_S, EU561_DRIVING)
    return DayRules(shift, (*_main_break(ARBZG, HALF_HOUR_S, shift), *_second_break(shift)))


def _main_break(rule: str, duration_s: int, shift: TimeWindow) -> tuple[BreakRule, ...]:
    """The break that ends the first stretch of work early and late enough for both stretches."""
    if shift.latest_s - shift.earliest_s <= STRETCH_S:
        return ()
    latest = shift.earliest_s + STRETCH_S
    last_stretch = shift.latest_s - STRETCH_S - duration_s
    earliest = min(max(shift.earliest_s + NOT_BEFORE_S, last_stretch), latest)
    return (BreakRule(rule, duration_s, earliest, latest, due_after_s=STRETCH_S),)


def _second_break(shift: TimeWindow) -> tuple[BreakRule, ...]:
    """The quarter of an hour more that a long day owes under ArbZG §4."""
    due_after_s = LONG_DAY_S + HALF_HOUR_S
    if shift.latest_s - shift.earliest_s <= due_after_s:
        return ()
    earliest = shift.earliest_s + STRETCH_S + HALF_HOUR_S
    return (BreakRule(ARBZG, QUARTER_S, earliest, shift.latest_s - QUARTER_S, due_after_s),)
