"""The law on a driver's day, as breaks and limits of a tour.

- ArbZG §3: at most 8 h of work a day, and up to 10 h where the mean of six months or 24 weeks is 8.
  A plan knows its own day only, so it keeps the 10 h.
- ArbZG §4: 30 min of break for more than 6 h of work, 45 min for more than 9 h, in pieces of at
  least 15 min, and never more than 6 h of work without one.
- VO (EG) 561/2006 Art. 6: at most 9 h of driving a day, twice a week 10 h; plans keep the 9 h.
  Art. 7: after at most 4.5 h of driving a break of 45 min, or of 15 min and later 30 min. Either
  satisfies ArbZG §4 too.

A break is a span of the day in which it starts. The spans are chosen so that wherever in them
breaks begin, and whenever a tour starts and ends, no stretch of work is longer than 6 h.
"""

from dataclasses import dataclass

from config.region import RuleProfile
from optimizer.model import BreakRule, TimeWindow

H = 3600
# The figures of `config/law.toml`, by which plans are certified; a test keeps both alike.
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
    break_options: tuple[tuple[BreakRule, ...], ...] = ()
    max_tour_s: int | None = None
    max_driving_s: int | None = None
    max_driving_between_breaks_s: int | None = None
    driving_rule: str = ""


def day_rules(
    profile: RuleProfile,
    shift: TimeWindow,
    *,
    latest_start_s: int | None = None,
    divided: bool = False,
) -> DayRules:
    """Return the rules of a shift under a profile; a shift longer than the law allows is cut.

    Args:
        profile: the law that binds the tour.
        shift: earliest start and latest end.
        latest_start_s: by when a tour has to start; None where it starts with the shift. With it
            the law limits the tour and not the shift, which may be longer: it is cut so that it
            ends with the latest tour, and so that a main break in the sixth hour of the earliest
            tour is early enough for the latest one, too.
        divided: whether breaks may be taken in parts.
    """
    eu561 = profile is RuleProfile.EU561
    whole_s, name = (THREE_QUARTERS_S, EU561_BREAK) if eu561 else (HALF_HOUR_S, ARBZG)
    longest_s = WORK_S + THREE_QUARTERS_S
    start, end = shift.earliest_s, shift.latest_s
    end = min(end, max(start, latest_start_s or start) + longest_s, start + 2 * STRETCH_S + whole_s)
    shift = TimeWindow(start, end)
    max_tour_s = longest_s if end - start > longest_s else None
    main = _main_break(name, whole_s, shift)
    options = (_parts(name, eu561, shift),) if divided and main else ()
    if eu561:
        return DayRules(
            shift, main, options, max_tour_s, DRIVING_DAY_S, DRIVING_STRETCH_S, EU561_DRIVING
        )
    second = _second_break(shift)
    return DayRules(
        shift, (*main, *second), tuple((*parts, *second) for parts in options), max_tour_s
    )


def _main_break(rule: str, duration_s: int, shift: TimeWindow) -> tuple[BreakRule, ...]:
    """The break that ends the first stretch of work early and late enough for both stretches."""
    if shift.latest_s - shift.earliest_s <= STRETCH_S:
        return ()
    latest = shift.earliest_s + STRETCH_S
    last_stretch = shift.latest_s - STRETCH_S - duration_s
    earliest = min(max(shift.earliest_s + NOT_BEFORE_S, last_stretch), latest)
    return (BreakRule(rule, duration_s, earliest, latest, due_after_s=STRETCH_S),)


def _parts(rule: str, eu561: bool, shift: TimeWindow) -> tuple[BreakRule, ...]:
    """The main break in two parts: 15 and 15 min, or 15 and then 30 min.

    The second begins at most 6 h after the first at its earliest has ended, and at most 6 h before
    the end; after a first part of 15 min the driver has driven on, for Art. 7.
    """
    later_s = HALF_HOUR_S if eu561 else QUARTER_S
    first_from = shift.earliest_s + NOT_BEFORE_S
    second_from = max(first_from + QUARTER_S, shift.latest_s - STRETCH_S - later_s)
    second_until = min(first_from + QUARTER_S + STRETCH_S, shift.latest_s - later_s)
    first_until = min(shift.earliest_s + STRETCH_S, second_until - QUARTER_S)
    first = BreakRule(
        rule, QUARTER_S, first_from, first_until, due_after_s=STRETCH_S, resets_driving=not eu561
    )
    second = BreakRule(rule, later_s, second_from, second_until, due_after_s=STRETCH_S)
    return first, second


def _second_break(shift: TimeWindow) -> tuple[BreakRule, ...]:
    """The quarter of an hour more that a long day owes under ArbZG §4."""
    due_after_s = LONG_DAY_S + HALF_HOUR_S
    if shift.latest_s - shift.earliest_s <= due_after_s:
        return ()
    earliest = shift.earliest_s + STRETCH_S + HALF_HOUR_S
    return (BreakRule(ARBZG, QUARTER_S, earliest, shift.latest_s - QUARTER_S, due_after_s),)
