"""The certificate: what is on board, what can be true, each legal, just illegal, in words."""

from datetime import timedelta

import pytest

from config.errors import PlanError
from optimizer.certify import GivenStop, GivenTour
from optimizer.roads.haversine import Haversine
from tests.fixtures.certify import (
    TUESDAY,
    at,
    day_out,
    judged,
    needs,
    region_with,
    said,
    tour,
    vehicle_with,
)

PLANT = at("unload", "plant")
WHITE, MIXED = "glass-white", "glass-mixed"


def white(place: str, kg: float) -> GivenStop:
    """Return a collection of clear glass."""
    return at("collect", place, kg=kg, kg_by={WHITE: kg})


class TestPayload:
    def test_to_the_kilogram(self) -> None:
        """StVZO §34: 6,000 kg are the truck's payload, wherever they lie."""
        full = (at("collect", "s001", kg=3000.0), at("collect", "s002", kg=3000.0), PLANT)
        assert said("payload", tour(*full)) == []

    def test_a_kilogram_more(self) -> None:
        """Named with where it is exceeded."""
        over = (at("collect", "s001", kg=3000.0), at("collect", "s002", kg=3001.0), PLANT)
        assert said("payload", tour(*over)) == [
            "tour truck-1: 6,001 kg on board, exceeded from s002 on; 6,000 kg are allowed"
        ]
        assert said("payload", tour(*over), language="de") == [
            "Tour truck-1: 6.001 kg an Bord, überschritten ab s002; zulässig sind 6.000 kg"
        ]

    def test_unloading_makes_room(self) -> None:
        """Each trip has the whole payload."""
        trips = (at("collect", "s001", kg=5000.0), PLANT, at("collect", "s002", kg=5000.0), PLANT)
        assert said("payload", tour(*trips)) == []

    def test_without_weights_it_is_not_judged(self) -> None:
        """One stop without kg is enough."""
        certificate = judged(tour(at("collect", "s001", kg=10.0), at("collect", "s002"), PLANT))
        assert needs("payload", certificate) == ["kg at each collection"]
        assert needs("compartment-kg", certificate) == ["kg of each fraction at each collection"]
        assert needs("compartment-litres", certificate) == [
            "litres of each fraction at each collection"
        ]


class TestCompartments:
    def test_weight(self) -> None:
        """3,500 kg of clear glass fit into its compartment."""
        assert said("compartment-kg", tour(white("s001", 3500.0), PLANT)) == []
        assert said("compartment-kg", tour(white("s001", 3500.5), PLANT)) == [
            "tour truck-1: 3,500.5 kg in one compartment, exceeded from s001 on; "
            "3,500 kg are allowed"
        ]

    def test_volume(self) -> None:
        """10,000 l of clear glass."""
        full, over = (at("collect", "s001-1", litres=litres) for litres in (10_000.0, 10_001.0))
        assert said("compartment-litres", tour(full, PLANT)) == []
        assert said("compartment-litres", tour(over, PLANT)) == [
            "tour truck-1: 10,001 l in one compartment, exceeded from s001-1 on; "
            "10,000 l are allowed"
        ]

    def test_volume_follows_from_weight(self) -> None:
        """320 kg/m³ in the truck: 3,300 kg are more than 10,000 l."""
        assert said("compartment-litres", tour(white("s001", 3200.0), PLANT)) == []
        assert said("compartment-litres", tour(white("s001", 3300.0), PLANT)) != []

    def test_one_kind_of_container_tells_the_fraction(self) -> None:
        """A stop at a container of clear glass needs no fraction of its own."""
        assert said("compartment-kg", tour(at("collect", "s001-1", kg=3501.0), PLANT)) != []

    def test_a_fraction_without_a_compartment(self) -> None:
        """A truck for clear glass does not take mixed."""
        truck = region_with().vehicles[0]
        region = vehicle_with(compartments=truck.compartments[:1])
        assert said("no-compartment", tour(at("collect", "s001-1"), PLANT), region=region) == []
        assert said("no-compartment", tour(at("collect", "s001-2"), PLANT), region=region) == [
            "tour truck-1: truck-1 has no compartment for all that is collected at s001-2 "
            "(glass-mixed)"
        ]

    def test_a_mistyped_fraction_is_no_plan(self) -> None:
        """Its weight would be overlooked, so it is refused."""
        wrong = at("collect", "s001", kg_by={"glas-white": 9.0}, kg=9.0)
        with pytest.raises(PlanError, match="no fraction glas-white; did you mean glass-white"):
            judged(tour(wrong))


class TestUnloading:
    def test_where_the_fraction_is_taken(self) -> None:
        """A plant for clear glass only takes no mixed glass."""
        plant = region_with().facilities[0].model_copy(update={"accepts": (WHITE,)})
        region = region_with(facilities=(plant,))
        assert said("facility-accepts", tour(at("collect", "s001-1"), PLANT), region=region) == []
        assert said("facility-accepts", tour(at("collect", "s001-2"), PLANT), region=region) == [
            "tour truck-1: plant takes glass-white, and none of what is on board"
        ]

    def test_ends_empty(self) -> None:
        """The last collection is followed by an unloading."""
        assert said("ends-empty", tour(at("collect", "s001"), PLANT)) == []
        loaded = tour(at("collect", "s001"), PLANT, at("collect", "s002"))
        assert said("ends-empty", loaded) == [
            "tour truck-1: ends loaded; it has to unload after s002"
        ]

    def test_nothing_found_is_nothing_loaded(self) -> None:
        """A stop at which nothing was collected leaves nothing to unload."""
        assert said("ends-empty", tour(at("collect", "s001", kg=0.0))) == []


class TestTravel:
    """The depot and s001 are 1,700 m of straight line apart."""

    def reached(self, arrival: str) -> GivenTour:
        """Return a tour that leaves at seven."""
        return day_out("07:00", "09:00", at("collect", "s001", arrival, "08:00"))

    def test_no_sooner_than_the_roads_allow(self) -> None:
        """The estimate of the way, less its stated tolerance, is what it takes at least."""
        assert said("travel-time", self.reached("07:02:02"), travel=Haversine()) == []
        assert said("travel-time", self.reached("07:02:01"), travel=Haversine()) == [
            "tour truck-1: 2 min 1 s from depot to s001, the roads take 5 min 3 s "
            "(an estimate, tolerance 3 min 1 s)"
        ]

    def test_without_roads_it_is_not_judged(self) -> None:
        """And said so."""
        assert needs("travel-time", judged(self.reached("07:10"))) == ["travel times"]

    def test_an_unknown_place_leaves_a_gap(self) -> None:
        """The way there and from there is not judged."""
        stops = (at("collect", "s001", "07:10", "07:15"), at("collect", "x1", "07:20", "07:25"))
        certificate = judged(day_out("07:00", "09:00", *stops), travel=Haversine())
        assert needs("travel-time", certificate) == ["a known place for each stop"]

    def test_a_place_without_a_road(self) -> None:
        """Off the earth there is none."""
        far = at("collect", "s001", "07:30", "07:35", lon=8.5, lat=95.0)
        assert said("no-road", day_out("07:00", "09:00", far), travel=Haversine()) == [
            "tour truck-1: there is no road for trucks to s001"
        ]
        near = at("collect", "s001", "07:30", "07:35")
        assert said("no-road", day_out("07:00", "09:00", near), travel=Haversine()) == []


class TestClocks:
    def test_times_run_forwards(self) -> None:
        """A stop that begins when the one before ends is in order, a second earlier is not."""
        first = at("collect", "s001", "08:00", "08:10")
        assert (
            said("clock-order", day_out("07:00", "09:00", first, at("collect", "s002", "08:10")))
            == []
        )
        early = at("collect", "s002", "08:09:59", "08:20")
        assert said("clock-order", day_out("07:00", "09:00", first, early)) == [
            "tour truck-1: arrives at s002 at 08:09:59, but leaves s001 at 08:10"
        ]

    def test_a_stop_ends_after_it_begins(self) -> None:
        """Arrival, start and departure in this order."""
        backwards = at("collect", "s001", "08:10", "08:00")
        assert said("clock-order", day_out("07:00", "09:00", backwards)) == [
            "tour truck-1: s001: arrival 08:10, start 08:10 and departure 08:00 are not "
            "in this order"
        ]

    def test_a_break_does_not_lie_in_work(self) -> None:
        """Where it is taken on arrival, the plan says when work starts."""
        rest = at("break", None, "08:00", "08:30")
        work = at("collect", "s001", "08:00", "08:40")
        assert said("clock-order", day_out("07:00", "09:00", rest, work)) == [
            "tour truck-1: the break 08:00 - 08:30 overlaps the work at s001 from 08:00 to 08:40"
        ]
        later = at("collect", "s001", "08:00", "08:40", start_s=8 * 3600 + 1800)
        assert said("clock-order", day_out("07:00", "09:00", rest, later)) == []


class TestTwice:
    def test_a_container_is_emptied_once(self) -> None:
        """Two tours may share a site, not a container."""
        one = tour(at("collect", "s001-1"))
        assert said("collected-twice", one, tour(at("collect", "s001-2"), vehicle="truck-2")) == []
        assert said("collected-twice", one, tour(at("collect", "s001"), vehicle="truck-2")) == [
            "tour truck-2: s001 is already collected by tour truck-1"
        ]

    def test_the_next_day_is_another(self) -> None:
        """Once a day."""
        days = [tour(at("collect", "s001"), day=TUESDAY + timedelta(days=n)) for n in (0, 1)]
        assert said("collected-twice", *days) == []

    def test_a_vehicle_drives_one_tour_at_a_time(self) -> None:
        """Two tours of a day may follow each other, not overlap."""
        morning = day_out("06:45", "09:00", at("collect", "s001", "08:00"))
        noon = day_out("09:00", "12:00", at("collect", "s002", "10:00"))
        assert said("vehicle-twice", morning, noon) == []
        early = day_out("08:59", "12:00", at("collect", "s002", "10:00"))
        assert said("vehicle-twice", morning, early) == [
            "tour truck-1 2026-11-24 (2): truck-1 is out from 08:59, with tour "
            "truck-1 2026-11-24 (1) until 09:00"
        ]
