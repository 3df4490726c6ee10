"""What emptying a container usually costs, before any day was planned."""

import pytest

from config.region import Region
from config.region_folder import load_region
from optimizer.daily.usual import usual_eur


def usual(region: Region) -> float:
    """For all containers and vehicles of a region's only service."""
    return usual_eur(region, region.services[0], region.containers, region.vehicles)


def test_it_is_more_than_the_handling_and_less_than_a_tour() -> None:
    """A crane truck's glass container costs some euro, of which the handling is a part."""
    region = load_region("bielefeld")
    handling = region.services[0].container_s / 3600 * 62
    assert handling < usual(region) < 5 * handling


def test_it_does_not_hang_on_one_site() -> None:
    """A region of one site has no area, and still its price."""
    region = load_region("example")
    site = region.containers[0].site
    alone = tuple(c for c in region.containers if c.site == site)
    assert usual(region.model_copy(update={"containers": alone})) > 0


def test_dearer_trucks_make_it_dearer() -> None:
    """All of it scales with what trucks cost."""
    region = load_region("bielefeld")
    twice = tuple(
        vehicle.model_copy(
            update={
                "eur_per_h": 2 * vehicle.eur_per_h,
                "eur_per_km": 2 * vehicle.eur_per_km,
                "fixed_eur_per_day": 2 * vehicle.fixed_eur_per_day,
            }
        )
        for vehicle in region.vehicles
    )
    assert usual(region.model_copy(update={"vehicles": twice})) == pytest.approx(2 * usual(region))
