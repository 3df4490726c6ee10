"""The certificate: noise, days, reversing, sides, hours and places, each rule in words."""

from datetime import date, time
from typing import Any

import pytest

from optimizer.certify import GivenTour
from optimizer.roads.haversine import Haversine
from tests.fixtures.certify import (
    TUESDAY,
    at,
    example,
    judged,
    needs,
    region_with,
    said,
    service_with,
    site_with,
    tour,
    vehicle_with,
)

ALL_DAY = {"earliest": time(7), "latest": time(20)}


class TestNoise:
    def collected(self, begins: str, ends: str) -> GivenTour:
        """Return a tour with one collection."""
        return tour(at("collect", "s001", begins, ends))

    @pytest.mark.parametrize("span", [("07:00", "07:05"), ("19:55", "20:00")])
    def test_from_seven_to_eight(self, span: tuple[str, str]) -> None:
        """32. BImSchV §7: work days from 07:00 to 20:00."""
        assert said("noise-night", self.collected(*span), region=service_with(**ALL_DAY)) == []

    @pytest.mark.parametrize("span", [("06:59", "07:05"), ("19:55", "20:01")])
    def test_a_minute_outside(self, span: tuple[str, str]) -> None:
        """The collection's span and the allowed one are told."""
        assert said("noise-night", self.collected(*span), region=service_with(**ALL_DAY)) == [
            f"tour truck-1: collects at s001 from {span[0]} to {span[1]}, "
            "allowed are 07:00 to 20:00"
        ]

    def test_waiting_before_the_hour_is_no_noise(self) -> None:
        """The truck may stand there before; work begins later."""
        early = tour(at("collect", "s001", "06:50", "07:05", start_s=7 * 3600))
        assert said("noise-night", early) == []

    def test_a_declared_exception_widens_the_hours(self) -> None:
        """A service with an exception (32. BImSchV §7 (2)) declares its hours."""
        region = service_with(earliest=time(6), latest=time(20))
        assert said("noise-night", self.collected("06:00", "06:05"), region=region) == []
        assert said("noise-night", self.collected("05:59", "06:05"), region=region) == [
            "tour truck-1: collects at s001 from 05:59 to 06:05, allowed are 06:00 to 20:00"
        ]

    def test_the_services_own_hours(self) -> None:
        """Within the law's hours, but after the service's end at 17:00."""
        assert said("service-hours", self.collected("16:55", "17:00")) == []
        late = self.collected("16:55", "17:01")
        assert said("noise-night", late) == []
        assert said("service-hours", late) == [
            "tour truck-1: collects at s001 from 16:55 to 17:01, glass runs from 07:00 to 17:00"
        ]

    def test_without_times_it_is_not_judged(self) -> None:
        """And the certificate says what it needs."""
        certificate = judged(tour(at("collect", "s001")))
        assert needs("noise-night", certificate) == ["arrival and departure at each stop"]


class TestDays:
    def on(self, day: date) -> GivenTour:
        """Return a tour on a day."""
        return tour(at("collect", "s001", "09:00", "09:05"), day=day)

    def test_a_working_day(self) -> None:
        """Tuesday."""
        assert said("noise-rest-day", self.on(TUESDAY)) == []
        assert said("collection-day", self.on(TUESDAY)) == []

    def test_sunday(self) -> None:
        """32. BImSchV §7: none on Sundays."""
        assert said("noise-rest-day", self.on(date(2026, 11, 29))) == [
            "tour truck-1: collects at 1 stop on 2026-11-29, a Sunday"
        ]
        assert said("noise-rest-day", self.on(date(2026, 11, 29)), language="de") == [
            "Tour truck-1: Leerung an 1 Halt am 2026-11-29, einem Sonntag"
        ]

    def test_holiday(self) -> None:
        """The region's holidays: Christmas Day is a Friday."""
        assert said("noise-rest-day", self.on(date(2026, 12, 25))) == [
            "tour truck-1: collects at 1 stop on 2026-12-25, a public holiday (1. Weihnachtstag)"
        ]

    def test_a_day_on_which_the_service_does_not_run(self) -> None:
        """Saturday is no collection day of the example."""
        assert said("collection-day", self.on(date(2026, 11, 28))) == [
            "tour truck-1: 2026-11-28 is a Saturday, glass collects on "
            "Monday, Tuesday, Wednesday, Thursday, Friday"
        ]


class TestReversing:
    HERE = at("reverse", None, reverse_m=80.0)

    def test_not_alone(self) -> None:
        """DGUV Regel 114-601: nobody reverses without a banksman; the example's crew is one."""
        alone = tour(at("collect", "s001", reverse=True))
        assert said("reversing", alone) == ["tour truck-1: reverses at s001 without a banksman"]
        assert said("reversing", alone, language="de") == [
            "Tour truck-1: Rückwärtsfahrt an s001 ohne Einweiser"
        ]
        assert said("reversing", tour(self.HERE)) != []

    @pytest.mark.parametrize("facts", [{"banksman": True}, {"crew": 2}])
    def test_with_a_banksman(self, facts: dict[str, Any]) -> None:
        """One who guides, or two on board."""
        assert said("reversing", tour(at("collect", "s001", reverse=True), **facts)) == []

    def test_three_on_board_and_nobody_guides(self) -> None:
        """The plan knows better than the size of the crew."""
        stop = at("collect", "s001", reverse=True)
        assert said("reversing", tour(stop, crew=3, banksman=False)) != []

    def test_the_regions_crew(self) -> None:
        """Where the plan says nothing, the vehicle's crew holds."""
        stop = at("collect", "s001", reverse=True)
        assert said("reversing", tour(stop), region=vehicle_with(crew=2)) == []

    def test_a_site_that_is_reached_in_reverse_only(self) -> None:
        """The region's fact counts where the plan is silent, and not where it denies it."""
        region = site_with("s001", reverse=True)
        assert said("reversing", tour(at("collect", "s001")), region=region) != []
        assert said("reversing", tour(at("collect", "s001", reverse=False)), region=region) == []

    def test_how_far(self) -> None:
        """DGUV Information 214-033: no more than 150 m, banksman or not."""
        near, far = (at("collect", "s001", reverse_m=metres) for metres in (150.0, 151.0))
        assert said("reversing-far", tour(near, crew=2)) == []
        assert said("reversing-far", tour(far, crew=2)) == [
            "tour truck-1: reverses 151 m at s001, 150 m are allowed"
        ]
        untold = judged(tour(at("collect", "s001", reverse=True), crew=2))
        assert needs("reversing-far", untold) == ["how far the truck reverses"]


class TestCurb:
    def test_on_the_right(self) -> None:
        """A site at the curb is served from the truck's right-hand side."""
        region = site_with("s001", curb=True)
        assert said("curb-side", tour(at("collect", "s001", side="right")), region=region) == []
        assert said("curb-side", tour(at("collect", "s001", side="left")), region=region) == [
            "tour truck-1: s001 is served from the left, it has to be on the truck's right"
        ]

    def test_a_site_that_lies_open(self) -> None:
        """Elsewhere either side will do."""
        assert said("curb-side", tour(at("collect", "s001", side="left"))) == []

    def test_without_side_and_roads_it_is_not_judged(self) -> None:
        """An estimate does not know on which side a truck arrives."""
        certificate = judged(
            tour(at("collect", "s001")), region=site_with("s001", curb=True), travel=Haversine()
        )
        assert needs("curb-side", certificate) == ["the truck's side, or real roads"]


class TestFacilityHours:
    def test_within_and_without(self) -> None:
        """The plant is open from 07:00 to 17:00; unloading is over by then."""
        assert said("facility-hours", tour(at("unload", "plant", "16:45", "17:00"))) == []
        assert said("facility-hours", tour(at("unload", "plant", "16:46", "17:01"))) == [
            "tour truck-1: unloads at plant from 16:46 to 17:01, open is 07:00-17:00"
        ]
        assert said("facility-hours", tour(at("unload", "plant", "06:59", "07:14"))) == [
            "tour truck-1: unloads at plant from 06:59 to 07:14, open is 07:00-17:00"
        ]

    def test_a_day_on_which_it_is_closed(self) -> None:
        """Saturday."""
        saturday = tour(at("unload", "plant", "09:00", "09:15"), day=date(2026, 11, 28))
        assert said("facility-hours", saturday) == [
            "tour truck-1: unloads at plant from 09:00 to 09:15, open is not at all that day"
        ]


class TestKnown:
    def test_vehicles(self) -> None:
        """A mistyped truck is named with the one that is near."""
        assert said("known-vehicle", tour(at("collect", "s001"), vehicle="truck-2")) == []
        assert said("known-vehicle", tour(at("collect", "s001"), vehicle="truk-2")) == [
            "tour truk-2: the region has no vehicle truk-2; did you mean truck-2?"
        ]

    def test_places(self) -> None:
        """Sites, containers and facilities; what is none of them is named."""
        stops = (at("collect", "s001"), at("collect", "s002-1"), at("unload", "plant"))
        assert said("known-place", tour(*stops)) == []
        assert said("known-place", tour(at("collect", "x999"))) == [
            "tour truck-1: the region has no x999"
        ]
        assert said("known-place", tour(at("unload", "plan"))) == [
            "tour truck-1: the region has no plan; did you mean plant?"
        ]

    def test_a_container_of_another_site(self) -> None:
        """It is known, but does not stand there."""
        assert said("known-place", tour(at("collect", "s001", containers=("s002-1",)))) == [
            "tour truck-1: the region has no s002-1 at s001"
        ]

    def test_coordinates_find_the_site(self) -> None:
        """Within 50 m they mean the site; farther away nothing."""
        site = example().sites[0]
        near = at("collect", None, lon=site.lon, lat=site.lat + 0.0003)
        far = at("collect", None, lon=site.lon, lat=site.lat + 0.0006)
        assert said("known-place", tour(near)) == []
        assert said("known-place", tour(far)) == [
            f"tour truck-1: the region has no {site.lon:.5f}, {site.lat + 0.0006:.5f}"
        ]

    def test_what_the_vehicle_does_not_collect(self) -> None:
        """A site whose fractions belong to another service."""
        region = example()
        glass = region.services[0].model_copy(update={"fractions": ("glass-white",)})
        paper = glass.model_copy(update={"id": "paper", "fractions": ("glass-mixed",)})
        region = region_with(services=(glass, paper))
        assert said("vehicle-service", tour(at("collect", "s001-1")), region=region) == []
        assert said("vehicle-service", tour(at("collect", "s001-2")), region=region) == [
            "tour truck-1: truck-1 does not collect glass-mixed of s001-2, its services are glass"
        ]
