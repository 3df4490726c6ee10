"""The certificate: what a vehicle may and can do, each rule legal, just illegal, in words."""

from typing import Any

import pytest

from config.region import Region
from optimizer.roads.haversine import Haversine
from tests.fixtures.certify import (
    at,
    day_out,
    example,
    judged,
    region_with,
    said,
    site_with,
    tour,
    vehicle_with,
)


class TestShift:
    def test_within_and_without(self) -> None:
        """Truck 1 is out from 06:45 to 14:48."""
        assert said("shift", day_out("06:45", "14:48")) == []
        assert said("shift", day_out("06:44", "14:48")) == [
            "tour truck-1: out from 06:44 to 14:48, the shift is 06:45 to 14:48"
        ]
        assert said("shift", day_out("06:45", "14:49")) == [
            "tour truck-1: out from 06:45 to 14:49, the shift is 06:45 to 14:48"
        ]


class TestLimitsOfADay:
    def test_hours(self) -> None:
        """From leaving to being back."""
        region = vehicle_with(max_hours=6)
        assert said("day-hours", day_out("07:00", "13:00"), region=region) == []
        assert said("day-hours", day_out("07:00", "13:01"), region=region) == [
            "tour truck-1: out for 6 h 1 min, 6 h are allowed"
        ]

    def test_stops(self) -> None:
        """Sites in a day."""
        region = vehicle_with(max_stops=1)
        one, two = at("collect", "s001"), at("collect", "s002")
        assert said("day-stops", tour(one), region=region) == []
        assert said("day-stops", tour(one, two), region=region) == [
            "tour truck-1: 2 collections, 1 are allowed"
        ]

    def test_litres(self) -> None:
        """All trips of the day together."""
        region = vehicle_with(max_litres=1500)
        stops = [at("collect", f"s00{n}-1", litres=750.0 + n) for n in (0, 1, 2)]
        assert said("day-litres", tour(stops[0]), region=region) == []
        assert said("day-litres", tour(*stops[1:]), region=region) == [
            "tour truck-1: 1,503 l in a day, 1,500 l are allowed"
        ]

    def test_without_limits_they_do_not_apply(self) -> None:
        """And the certificate says so."""
        found = {one.rule for one in judged(day_out("07:00", "09:00")).not_applied}
        assert found == {"day-hours", "day-stops", "day-litres", "energy"}


class TestAccess:
    @pytest.mark.parametrize(
        ("limit", "measure", "told"),
        [
            ("max_width_m", "width_m", "its width_m is 2.56, max_width_m is 2.55"),
            ("max_height_m", "height_m", "its height_m is 2.56, max_height_m is 2.55"),
            ("max_gross_kg", "gross_kg", "its gross_kg is 2.56, max_gross_kg is 2.55"),
        ],
    )
    def test_size_and_weight(self, limit: str, measure: str, told: str) -> None:
        """A site's limits, to the centimetre."""
        stop = tour(at("collect", "s001"))

        def region(own: float | None) -> Region:
            sites = site_with("s001", **{limit: 2.55}).sites
            return region_with(sites=sites, vehicles=vehicle_with(**{measure: own}).vehicles)

        assert said("vehicle-access", stop, region=region(2.55)) == []
        assert said("vehicle-access", stop, region=region(2.56)) == [
            f"tour truck-1: truck-1 cannot serve s001: {told}"
        ]
        assert said("vehicle-access", stop, region=region(None)) == [
            f"tour truck-1: truck-1 cannot serve s001: its {measure} is not declared"
        ]

    def test_crane(self) -> None:
        """Underground containers need one."""
        lifted = tuple(one.model_copy(update={"crane": True}) for one in example().containers)
        cranes = vehicle_with(crane=True).vehicles
        stop = tour(at("collect", "s001"))
        with_crane = region_with(containers=lifted, vehicles=cranes)
        assert said("vehicle-access", stop, region=with_crane) == []
        assert said("vehicle-access", stop, region=region_with(containers=lifted)) == [
            "tour truck-1: truck-1 cannot serve s001: it has no crane"
        ]

    def test_side_loader(self) -> None:
        """It serves the right-hand side only."""
        loader = vehicle_with(side_loader=True).vehicles
        at_curb = region_with(sites=site_with("s001", curb=True).sites, vehicles=loader)
        assert said("vehicle-access", tour(at("collect", "s001")), region=at_curb) == []
        assert said("vehicle-access", tour(at("collect", "s002")), region=at_curb) == [
            "tour truck-1: truck-1 cannot serve s002: a side loader serves the curb on its right "
            "only"
        ]


class TestSiteHours:
    @pytest.mark.parametrize("kind", ["windows", "noise_windows"])
    def test_within_and_without(self, kind: str) -> None:
        """A pedestrian zone is reached, and loud, from six to ten on working days."""
        site = type(example().sites[0])
        facts: dict[str, Any] = example().site_by_id["s001"].model_dump()
        zone = site.model_validate({**facts, kind: "mon-fri 08:00-10:00"})
        region = site_with("s001", **{kind: getattr(zone, kind)})
        ends = tour(at("collect", "s001", "09:50", "10:00"))
        late = tour(at("collect", "s001", "09:50", "10:01"))
        assert said("site-hours", ends, region=region) == []
        assert said("site-hours", late, region=region) == [
            "tour truck-1: collects at s001 from 09:50 to 10:01, allowed is 08:00-10:00"
        ]


class TestEnergy:
    def test_to_the_kilowatt_hour(self) -> None:
        """Way by the roads and lifts against the battery without its reserve."""
        out = day_out("07:00", "09:00", at("collect", "s001-1", "08:00"))
        needed = 2 * 2.1465 + 1.0
        battery = {"kwh_per_km": 1.0, "kwh_per_lift": 1.0, "reserve_share": 0.0}
        full = vehicle_with(battery_kwh=needed + 0.1, **battery)
        assert said("energy", out, region=full, travel=Haversine()) == []
        flat = vehicle_with(battery_kwh=5.0, **battery)
        assert said("energy", out, region=flat, travel=Haversine()) == [
            "tour truck-1: 5.3 kWh are needed, 5 kWh can be used"
        ]

    def test_a_night_is_too_short_for_a_full_battery(self) -> None:
        """16 h at 0.1 kW after the shift of 8 h: no more than 1.6 kWh, whatever it could hold."""
        out = day_out("07:00", "09:00", at("collect", "s001-1", "08:00"))
        slow = vehicle_with(battery_kwh=100.0, charge_kw=0.1, kwh_per_km=1.0, reserve_share=0.0)
        [told] = said("energy", out, region=slow, travel=Haversine())
        assert told == "tour truck-1: 4.3 kWh are needed, 1.6 kWh can be used"

    def test_a_diesel_has_no_battery(self) -> None:
        """It is said that the rule does not apply."""
        told = {one.rule: one.why.en for one in judged(day_out("07:00", "09:00")).not_applied}
        assert told["energy"] == "the vehicle has no battery"


def test_a_truck_that_may_stay_loaded() -> None:
    """`overnight_load_allowed`: it need not unload at the end of its day."""
    region = vehicle_with(overnight_load_allowed=True)
    loaded = tour(at("collect", "s001"))
    assert said("ends-empty", loaded, region=region) == []
    told = {one.rule: one.why.en for one in judged(loaded, region=region).not_applied}
    assert told["ends-empty"] == "the vehicle may stay loaded overnight"
