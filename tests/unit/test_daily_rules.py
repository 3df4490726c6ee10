"""Breaks and limits of a shift, paragraph by paragraph."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.region import RuleProfile
from optimizer.daily.rules import ARBZG, EU561_BREAK, day_rules
from optimizer.model import TimeWindow

H = 3600


def shift(hours: float, start: int = 7 * H) -> TimeWindow:
    """A shift of some hours."""
    return TimeWindow(start, start + int(hours * H))


class TestArbzg:
    def test_no_break_for_six_hours(self) -> None:
        """ArbZG §4: up to 6 h of work no break is due."""
        assert day_rules(RuleProfile.ARBZG, shift(6)).breaks == ()

    def test_half_an_hour_for_more_than_six(self) -> None:
        """ArbZG §4: 30 min for more than 6 h, before the sixth hour is over."""
        [rule] = day_rules(RuleProfile.ARBZG, shift(8)).breaks
        assert (rule.rule, rule.duration_s, rule.due_after_s) == (ARBZG, 1800, 6 * H)
        assert rule.latest_start_s == 13 * H

    def test_another_quarter_for_more_than_nine(self) -> None:
        """ArbZG §4: 45 min in all for more than 9 h, in pieces of 15 min at least."""
        rules = day_rules(RuleProfile.ARBZG, shift(10.5)).breaks
        assert [rule.duration_s for rule in rules] == [1800, 900]
        assert rules[1].due_after_s == 9 * H + 1800

    def test_no_more_than_ten_hours_of_work(self) -> None:
        """ArbZG §3: a longer shift is cut to 10 h of work and its breaks."""
        assert day_rules(RuleProfile.ARBZG, shift(13)).shift == shift(10.75)

    def test_driving_is_not_limited(self) -> None:
        """Household collection is exempt from driving times (FPersV §18 Abs. 1 Nr. 8)."""
        rules = day_rules(RuleProfile.ARBZG, shift(8))
        assert rules.max_driving_s is None
        assert rules.max_driving_between_breaks_s is None


class TestEu561:
    def test_one_break_satisfies_both_laws(self) -> None:
        """VO (EG) 561/2006 Art. 7: 45 min in one piece, which is also what ArbZG §4 asks."""
        [rule] = day_rules(RuleProfile.EU561, shift(8)).breaks
        assert (rule.rule, rule.duration_s) == (EU561_BREAK, 2700)

    def test_driving_is_limited(self) -> None:
        """Art. 6: 9 h a day; Art. 7: 4.5 h without a break."""
        rules = day_rules(RuleProfile.EU561, shift(6))
        assert rules.max_driving_s == 9 * H
        assert rules.max_driving_between_breaks_s == 16_200


@pytest.mark.parametrize("profile", list(RuleProfile))
@given(hours=st.floats(6.01, 14), start=st.integers(0, 10 * H))
def test_nobody_works_longer_than_six_hours_on_end(
    profile: RuleProfile, hours: float, start: int
) -> None:
    """Wherever in its window the first break lies, no stretch of work is longer than 6 h."""
    rules = day_rules(profile, shift(hours, start))
    first = rules.breaks[0]
    assert first.earliest_start_s <= first.latest_start_s
    assert first.latest_start_s - rules.shift.earliest_s <= 6 * H
    assert rules.shift.latest_s - (first.earliest_start_s + first.duration_s) <= 6 * H
    for earlier, later in pairwise(rules.breaks):
        assert earlier.latest_start_s + earlier.duration_s <= later.earliest_start_s
        assert later.earliest_start_s <= later.latest_start_s


@pytest.mark.parametrize("profile", list(RuleProfile))
@given(hours=st.floats(6.01, 14), choice=st.integers(0, 6 * H), data=st.data())
def test_nobody_works_longer_than_six_hours_on_end_whatever_is_chosen(
    profile: RuleProfile, hours: float, choice: int, data: st.DataObject
) -> None:
    """Whenever a tour starts and ends, and wherever breaks and their parts lie: ArbZG §4."""
    rules = day_rules(profile, shift(hours), latest_start_s=7 * H + choice, divided=True)
    start = data.draw(st.integers(7 * H, 7 * H + choice))
    end = min(rules.shift.latest_s, start + (rules.max_tour_s or 24 * H))
    for chain in (rules.breaks, *rules.break_options):
        now, taken_s = start, 0
        for rule in chain:
            if end - start <= rule.due_after_s or end <= rule.earliest_start_s:
                continue
            earliest = max(now, rule.earliest_start_s)
            if earliest > rule.latest_start_s:
                return  # the chain cannot be kept: no tour with it is lawful
            begin = data.draw(st.integers(earliest, rule.latest_start_s))
            if begin + rule.duration_s > end:
                return  # likewise
            assert rule.duration_s >= 900
            assert begin - now <= 6 * H
            now, taken_s = begin + rule.duration_s, taken_s + rule.duration_s
        assert end - now <= 6 * H
        assert end - start - taken_s <= 6 * H or taken_s >= 1800
        assert end - start - taken_s <= 9 * H or taken_s >= 2700


class TestDivided:
    def test_two_quarters_make_half_an_hour(self) -> None:
        """ArbZG §4 Satz 2: 30 min may be 15 and 15 min, where crews do so."""
        assert day_rules(RuleProfile.ARBZG, shift(8)).break_options == ()
        [parts] = day_rules(RuleProfile.ARBZG, shift(8), divided=True).break_options
        assert [rule.duration_s for rule in parts] == [900, 900]
        [parts] = day_rules(RuleProfile.ARBZG, shift(10.5), divided=True).break_options
        assert [rule.duration_s for rule in parts] == [900, 900, 900]

    def test_fifteen_minutes_come_before_thirty(self) -> None:
        """VO (EG) 561/2006 Art. 7: in this order, and only the second ends a stretch of driving."""
        [(first, second)] = day_rules(RuleProfile.EU561, shift(8), divided=True).break_options
        assert (first.duration_s, first.resets_driving) == (900, False)
        assert (second.duration_s, second.resets_driving) == (1800, True)


class TestStartChoice:
    def test_the_tour_is_limited_not_the_shift(self) -> None:
        """With a start between 5 and 7 a tour may end at 17:30, but lasts 10:45 h at most."""
        rules = day_rules(RuleProfile.ARBZG, shift(15, 5 * H), latest_start_s=7 * H)
        assert rules.shift == TimeWindow(5 * H, 17 * H + 1800)
        assert rules.max_tour_s == 10 * H + 2700
