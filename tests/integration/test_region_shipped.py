"""The regions that ship are coherent with each other's parts and with their streets."""

import math
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from config.region import Depot, Facility, Region, Site
from config.region_containers import GEOJSON
from config.region_folder import find_folder, load_region, shipped_regions
from jobs.region_scatter import scatter_region
from jobs.region_streets import Streets
from optimizer.roads import roads_of

SIZES = {"bielefeld": (270, 730, 7), "example": (12, 30, 1)}  # sites, containers, seed


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder for the generated towns."""
    return tmp_path_factory.mktemp("data")


def standing(region: Region) -> list[Depot | Facility | Site]:
    """Return everything of a region that has a place."""
    return [*region.depots, *region.facilities, *region.sites]


@pytest.fixture(scope="module", params=shipped_regions())
def region(request: pytest.FixtureRequest) -> Region:
    """Return each region that ships."""
    return load_region(request.param)


def test_bielefeld_and_the_example_ship() -> None:
    """The demo's region, and a tiny one to try things with."""
    assert shipped_regions() == ["bielefeld", "example"]


def test_the_shipped_containers_come_from_their_seed(
    region: Region, tmp_path: Path, data_dir: Path
) -> None:
    """`binround region scatter` with the documented numbers gives the very file that ships."""
    folder = tmp_path / region.id
    folder.mkdir()
    for file in find_folder(region.id).glob("*.toml"):
        (folder / file.name).write_bytes(file.read_bytes())
    sites, containers, seed = SIZES[region.id]
    scatter_region(folder, sites, containers, seed, data_dir)
    assert (folder / GEOJSON).read_bytes() == (find_folder(region.id) / GEOJSON).read_bytes()
    scatter_region(folder, sites, containers, seed + 1, data_dir)
    assert (folder / GEOJSON).read_bytes() != (find_folder(region.id) / GEOJSON).read_bytes()


def test_everything_stands_at_a_street(region: Region, data_dir: Path) -> None:
    """Sites stand beside streets of the town; depots and facilities can be driven to."""
    streets = Streets.of(roads_of(region, data_dir).extract)
    assert max(streets.distance_m(site.lon, site.lat) for site in region.sites) < 10
    for place in standing(region):
        assert streets.distance_m(place.lon, place.lat) < 100, place.id


def test_everything_lies_inside_the_town(region: Region) -> None:
    """The generated town reaches all sites, depots and facilities."""
    roads = region.roads
    for place in standing(region):
        east = (place.lon - roads.centre_lon) * math.cos(math.radians(roads.centre_lat))
        north = place.lat - roads.centre_lat
        assert math.hypot(east, north) * 111_195 < roads.town_radius_m * 1.1, place.id


def test_synthetic_things_say_so(region: Region) -> None:
    """Nobody takes a generated site or container for a surveyed one."""
    assert all(site.synthetic for site in region.sites)
    assert all(container.synthetic for container in region.containers)


def test_sites_keep_a_distance(region: Region) -> None:
    """No two sites stand at the same place, and most keep a walk's distance."""
    scale = 111_195 * math.cos(math.radians(region.roads.centre_lat)), 111_195
    at = [(site.lon * scale[0], site.lat * scale[1]) for site in region.sites]
    nearest = [min(math.dist(a, b) for b in at if b is not a) for a in at]
    assert min(nearest) > 50


def test_bielefeld_has_its_size() -> None:
    """About 270 sites and 730 glass containers in three colours, one sensor each."""
    region = load_region("bielefeld")
    assert len(region.sites) == 270
    assert len(region.containers) == 730
    colours = Counter(container.fraction for container in region.containers)
    assert set(colours) == {"glass-white", "glass-green", "glass-brown"}
    assert min(colours.values()) > 100
    assert len({container.sensor for container in region.containers}) == 730
    assert {container.volume_l for container in region.containers} == {1500, 2000, 3000}


def test_bielefelds_glass_weighs_what_it_should() -> None:
    """The containers yield about the 9,000 t a year that the city's glass weighed in 2006."""
    region = load_region("bielefeld")
    tonnes = sum(
        container.volume_l / 1000
        * fraction.container_kg_per_m3 / 1000
        * fraction.fill_per_day * math.exp(fraction.fill_per_day_log_sd**2 / 2)
        * 365
        for container in region.containers
        for fraction in [region.fraction_by_id[container.fraction]]
    )  # fmt: skip
    assert 7_500 < tonnes < 10_500


def test_bielefelds_fleet_carries_a_day() -> None:
    """Each truck carries a day's share of each colour in at most three trips."""
    region = load_region("bielefeld")
    for fraction in region.fractions:
        litres = sum(
            container.volume_l
            * fraction.fill_per_day * math.exp(fraction.fill_per_day_log_sd**2 / 2)
            * 7 / 5
            * fraction.container_kg_per_m3 / fraction.truck_kg_per_m3
            for container in region.containers
            if container.fraction == fraction.id
        )  # fmt: skip
        room = sum(
            compartment.capacity_l
            for vehicle in region.vehicles
            for compartment in vehicle.compartments
            if fraction.id in compartment.fractions
        )
        assert litres < 3 * room


@pytest.mark.parametrize("year", [2025, 2026, 2027, 2028])
def test_holidays_of_north_rhine_westphalia(year: int) -> None:
    """There are eleven a year; those that move do so with Easter."""
    easter = {2025: (4, 20), 2026: (4, 5), 2027: (3, 28), 2028: (4, 16)}[year]
    days = {d: name for d, name in load_region("bielefeld").holidays.items() if d.year == year}
    assert len(days) == 11
    after_easter = {name: (day - date(year, *easter)).days for day, name in days.items()}
    assert after_easter["Karfreitag"] == -2
    assert after_easter["Christi Himmelfahrt"] == 39
    assert after_easter["Fronleichnam"] == 60
    assert days[date(year, 11, 1)] == "Allerheiligen"
