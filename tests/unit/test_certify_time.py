"""The certificate: working time, driving time and rest, each legal, just illegal, in words."""

from datetime import date, timedelta

import pytest

from optimizer.certify import GivenTour
from tests.fixtures.certify import TUESDAY, at, day_out, household, judged, needs, said


def rest(begins: str, ends: str) -> tuple[str, str]:
    """Return a break."""
    return begins, ends


def out(begins: str, ends: str, *breaks: tuple[str, str], day: date = TUESDAY) -> GivenTour:
    """Return a tour that collects a minute before its end, with breaks before."""
    stops = [at("break", None, *one) for one in breaks]
    return day_out(begins, ends, *stops, at("collect", "s001", ends, ends), day=day)


class TestWorkDay:
    def test_ten_hours_are_allowed(self) -> None:
        """ArbZG §3: ten hours of work; the break is none."""
        assert said("work-day", out("06:00", "16:45", ("11:00", "11:45"))) == []

    def test_a_minute_more_is_not(self) -> None:
        """The message tells hours and limit."""
        long = out("06:00", "16:46", ("11:00", "11:45"))
        assert said("work-day", long) == [
            "tour truck-1: 10 h 1 min of work, 10 h are allowed in a day"
        ]
        assert said("work-day", long, language="de") == [
            "Tour truck-1: 10 h 1 min Arbeit, zulässig sind 10 h am Tag"
        ]

    def test_a_pause_of_less_than_a_quarter_is_work(self) -> None:
        """ArbZG §4 S. 2: only pieces of 15 min and more are breaks."""
        assert said("work-day", out("06:00", "16:10", ("11:00", "11:14"))) != []


class TestWorkBreak:
    @pytest.mark.parametrize(
        ("ends", "breaks"),
        [
            ("12:00", []),
            ("15:00", [("09:00", "09:30")]),
            ("15:00", [("09:00", "09:15"), ("11:00", "11:15")]),
            ("15:30", [("11:00", "11:30")]),
            ("16:00", [("09:00", "09:30"), ("12:00", "12:15")]),
        ],
    )
    def test_what_is_enough(self, ends: str, breaks: list[tuple[str, str]]) -> None:
        """6 h need none, up to 9 h half an hour, beyond 45 min, in pieces of a quarter."""
        assert said("work-break", out("06:00", ends, *breaks)) == []

    @pytest.mark.parametrize(
        ("ends", "breaks", "told"),
        [
            ("12:01", [], "0 min of break for 6 h 1 min of work, 30 min are due"),
            (
                "15:00",
                [("09:00", "09:29")],
                "29 min of break for 8 h 31 min of work, 30 min are due",
            ),
            (
                "15:31",
                [("11:00", "11:30")],
                "30 min of break for 9 h 1 min of work, 45 min are due",
            ),
            (
                "13:00",
                [("09:00", "09:16"), ("11:00", "11:14")],
                "16 min of break for 6 h 44 min of work, 30 min are due",
            ),
        ],
    )
    def test_what_is_not(self, ends: str, breaks: list[tuple[str, str]], told: str) -> None:
        """One minute less is named with what is due."""
        assert said("work-break", out("06:00", ends, *breaks)) == [f"tour truck-1: {told}"]


class TestWorkStretch:
    def test_six_hours_on_end_are_allowed(self) -> None:
        """ArbZG §4 S. 3."""
        assert said("work-stretch", out("06:00", "14:00", ("12:00", "12:30"))) == []

    def test_a_minute_more_is_not(self) -> None:
        """Beginning and end of the stretch are told."""
        assert said("work-stretch", out("06:00", "14:00", ("12:01", "12:31"))) == [
            "tour truck-1: 6 h 1 min of work without a break from 06:00 to 12:01, 6 h are allowed"
        ]

    def test_the_stretch_after_the_break_counts_too(self) -> None:
        """A break that is too early does not help the afternoon."""
        assert said("work-stretch", out("06:00", "13:31", ("07:00", "07:30"))) == [
            "tour truck-1: 6 h 1 min of work without a break from 07:30 to 13:31, 6 h are allowed"
        ]

    def test_what_overlaps_work_is_no_break(self) -> None:
        """Half of the pause is spent emptying, so what is left is too short."""
        stops = (
            at("break", None, "11:00", "11:30"),
            at("collect", "s001", "11:10", "11:40"),
        )
        assert said("work-stretch", day_out("06:00", "12:30", *stops)) != []


class TestDailyRest:
    def days(self, first_ends: str, second_begins: str, **facts: str) -> list[GivenTour]:
        """Return two days of a truck."""
        return [
            out("07:00", first_ends),
            out(second_begins, "12:30", day=TUESDAY + timedelta(days=1)),
        ]

    def test_eleven_hours_are_enough(self) -> None:
        """ArbZG §5."""
        assert said("daily-rest", *self.days("19:00", "06:00")) == []

    def test_a_minute_less_is_not(self) -> None:
        """The tour before is named."""
        assert said("daily-rest", *self.days("19:01", "06:00")) == [
            "tour truck-1 2026-11-25: 10 h 59 min of rest after tour truck-1 2026-11-24, "
            "11 h are due"
        ]

    def test_other_teams_need_no_rest_from_each_other(self) -> None:
        """Where the plan names teams, each has its own nights."""
        first, second = self.days("19:01", "06:00")
        teams = [
            GivenTour(one.name, one.vehicle, one.day, one.stops, team=team)
            for one, team in ((first, "a"), (second, "b"))
        ]
        assert said("daily-rest", *teams) == []

    def test_one_day_is_not_judged(self) -> None:
        """A single day says nothing of the night, and the certificate says so."""
        certificate = judged(out("07:00", "12:00"))
        assert needs("daily-rest", certificate) == ["two days of the same vehicle or team"]


class TestDrivingBreak:
    def driven(self, *breaks: tuple[str, str], ends: str) -> GivenTour:
        """Return a day of nothing but driving and breaks."""
        return out("06:00", ends, *breaks)

    def test_four_and_a_half_hours_are_allowed(self) -> None:
        """VO (EG) 561/2006 Art. 7."""
        assert said("driving-break", self.driven(ends="10:30")) == []
        whole = self.driven(("10:30", "11:15"), ends="15:45")
        assert said("driving-break", whole) == []

    def test_a_minute_more_is_not(self) -> None:
        """The stop that is reached too late is named."""
        assert said("driving-break", self.driven(ends="10:31")) == [
            "tour truck-1: 4 h 31 min of driving without such a break before s001, "
            "4 h 30 min are allowed"
        ]

    def test_forty_four_minutes_are_no_break(self) -> None:
        """45 min in one piece."""
        assert said("driving-break", self.driven(("10:00", "10:44"), ends="12:00")) != []

    def test_fifteen_and_then_thirty_are_one(self) -> None:
        """Art. 7 S. 2, in this order."""
        split = self.driven(("08:00", "08:15"), ("10:45", "11:15"), ends="15:45")
        assert said("driving-break", split) == []

    def test_thirty_and_then_fifteen_are_none(self) -> None:
        """The longer part comes second."""
        split = self.driven(("08:00", "08:30"), ("10:45", "11:00"), ends="15:45")
        assert said("driving-break", split) != []

    def test_work_at_a_stop_is_no_driving(self) -> None:
        """Emptying for an hour is neither driving nor a break."""
        stops = (at("collect", "s001", "09:00", "10:00"), at("collect", "s002", "11:30", "11:35"))
        assert said("driving-break", day_out("06:00", "11:35", *stops)) == []

    def test_household_collection_is_exempt(self) -> None:
        """FPersV §18 Abs. 1 Nr. 8: said, not passed over in silence."""
        tour = self.driven(ends="11:30")
        assert said("driving-break", tour, region=household()) == []
        exempt = {
            one.rule
            for one in judged(tour, region=household()).not_applied
            if one.why.en == "household collection is exempt (FPersV §18 Abs. 1 Nr. 8)"
        }
        assert exempt == {"driving-day", "driving-week", "driving-break"}


def driving_days(hours: list[int], minute: int = 0) -> list[GivenTour]:
    """Return days of driving from Monday on, with a break of an hour each."""
    monday = TUESDAY - timedelta(days=1)
    return [
        out("05:00", f"{6 + hour}:{minute:02d}", ("09:00", "10:00"), day=monday + timedelta(days=n))
        for n, hour in enumerate(hours)
    ]


class TestDrivingDay:
    def test_nine_hours_are_allowed(self) -> None:
        """VO (EG) 561/2006 Art. 6 (1)."""
        assert said("driving-day", *driving_days([9])) == []

    def test_up_to_ten_is_noted(self) -> None:
        """Twice a week ten hours: worth knowing, and no violation."""
        certificate = judged(*driving_days([9], minute=1))
        assert [certificate.message(one, "en") for one in certificate.notes] == [
            "tour truck-1: 9 h 1 min of driving; more than 9 h are allowed twice a week"
        ]
        assert "driving-day" not in {one.rule for one in certificate.violations}

    def test_more_than_ten_is_never_allowed(self) -> None:
        """A minute beyond the extended day."""
        certificate = judged(*driving_days([10], minute=1))
        [found] = [one for one in certificate.violations if one.rule == "driving-day"]
        assert certificate.message(found, "en") == (
            "tour truck-1: 10 h 1 min of driving, 10 h are allowed (0 longer days that week)"
        )

    def test_a_third_long_day_of_a_week(self) -> None:
        """Two may be longer, the third is held to nine hours."""
        certificate = judged(*driving_days([10, 10, 10]))
        [found] = [one for one in certificate.violations if one.rule == "driving-day"]
        assert certificate.message(found, "en") == (
            "tour truck-1 2026-11-25: 10 h of driving, 9 h are allowed (2 longer days that week)"
        )


class TestDrivingWeek:
    def test_fifty_six_hours_are_allowed(self) -> None:
        """Art. 6 (2)."""
        assert said("driving-week", *driving_days([10, 10, 9, 9, 9, 9])) == []

    def test_more_are_not(self) -> None:
        """The last tour of the week is named."""
        assert said("driving-week", *driving_days([10, 10, 10, 9, 9, 9])) == [
            "tour truck-1 2026-11-28: 57 h of driving this week, 56 h are allowed"
        ]

    def test_ninety_in_two_weeks(self) -> None:
        """Art. 6 (3)."""
        first = driving_days([9] * 5)
        later = [
            GivenTour(one.name, one.vehicle, one.day + timedelta(days=7), one.stops)
            for one in driving_days([9] * 5)
        ]
        assert said("driving-week", *first, *later) == []
        one_more = driving_days([9] * 5 + [1])
        assert said("driving-week", *one_more, *later) == [
            "tour truck-1 2026-12-04: 92 h of driving in two weeks, 90 h are allowed"
        ]


def test_a_plan_without_times_is_not_passed() -> None:
    """What cannot be judged is listed with what it needs, never silently legal."""
    certificate = judged(day_out("06:00", "18:00", at("collect", "s001")))
    for rule in ("work-day", "work-break", "work-stretch", "driving-break", "shift", "travel-time"):
        assert needs(rule, certificate) == ["arrival and departure at each stop"], rule
        assert rule not in {one.id for one in certificate.judged}
