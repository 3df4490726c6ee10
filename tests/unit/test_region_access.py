"""Who gets to a site and when: limits, cranes, side loaders, hours by weekday."""

import json
import shutil
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from config.errors import RegionError
from config.region import Container, Region, Service, Site, Vehicle
from config.region_access import can_serve
from config.region_folder import find_folder, load_region
from config.region_write import write_region
from optimizer.daily.windows import NEVER, visit_windows
from optimizer.model import TimeWindow

H = 3600
MONDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 28)


@pytest.fixture(scope="module")
def region() -> Region:
    """The tiny region that ships."""
    return load_region("example")


def declared(tmp_path: Path, **properties: Any) -> Path:
    """Return a folder in which the containers of the first site are declared otherwise."""
    folder = Path(shutil.copytree(find_folder("example"), tmp_path / "changed"))
    path = folder / "containers.geojson"
    whole = json.loads(path.read_text(encoding="utf-8"))
    for feature in whole["features"]:
        if feature["properties"]["site"] == "s001":
            feature["properties"] |= properties
    path.write_text(json.dumps(whole), encoding="utf-8")
    return folder


def site(**facts: Any) -> Site:
    """A site with some facts."""
    return Site.model_validate({"id": "s", "name": "s", "lon": 8.5, "lat": 52.0} | facts)


def vehicle(region: Region, **facts: Any) -> Vehicle:
    """A vehicle with some facts."""
    return Vehicle.model_validate(region.vehicles[0].model_dump() | facts)


@pytest.mark.parametrize(
    ("limit", "measure", "most"),
    [("max_width_m", "width_m", 2.3), ("max_height_m", "height_m", 3.2),
     ("max_gross_kg", "gross_kg", 12_000.0)],
)  # fmt: skip
def test_a_limit_lets_through_what_is_known_to_fit(
    region: Region, limit: str, measure: str, most: float
) -> None:
    """As wide, high or heavy as allowed gets there; a little more, or unknown, does not."""
    narrow = site(**{limit: most})
    assert can_serve(vehicle(region, **{measure: most}), narrow, ())
    assert not can_serve(vehicle(region, **{measure: most + 0.01}), narrow, ())
    assert not can_serve(vehicle(region), narrow, ())
    assert can_serve(vehicle(region), site(), ())


def test_side_loaders_and_cranes(region: Region) -> None:
    """A side loader serves the curb only; an underground container needs a crane."""
    assert can_serve(vehicle(region, side_loader=True), site(curb=True), ())
    assert not can_serve(vehicle(region, side_loader=True), site(), ())
    deep = Container(id="c", site="s", fraction="glass-white", volume_l=3000, crane=True)
    assert can_serve(vehicle(region, crane=True), site(), [deep])
    assert not can_serve(vehicle(region), site(), [deep])


@pytest.mark.parametrize(
    ("facts", "mistake"),
    [
        ({"max_width_m": 2.3}, "max_width_m: no vehicle of its service has a width_m of at most"),
        ({"crane": True}, "crane: no vehicle of its service has a crane"),
        ({"windows": "mon-fri 6-10"}, "windows: 'mon-fri 6-10': write spans such as"),
        ({"windows": "mo 06:00-10:00"}, "windows: 'mo 06:00-10:00': write spans such as"),
        ({"windows": "mos 06:00-10:00"}, "'mos' is no weekday"),
        ({"windows": "fri-mon 06:00-10:00"}, "'fri-mon' is no span of weekdays"),
        ({"windows": "10:00-06:00"}, "ends before it begins"),
        ({"noise_windows": "06:00-25:00"}, "no such time of day"),
    ],
)
def test_what_cannot_be_is_named_with_its_field(
    tmp_path: Path, facts: dict[str, Any], mistake: str
) -> None:
    """A container that nobody can empty, or hours that are none, are mistakes of its line."""
    with pytest.raises(RegionError) as caught:
        load_region(str(declared(tmp_path, **facts)))
    assert all(line.startswith("containers.geojson:") for line in caught.value.mistakes)
    assert mistake in caught.value.mistakes[0]


def test_hours_of_a_site_survive_their_folder(tmp_path: Path) -> None:
    """What was declared is written and read again the same."""
    hours = "mon-wed,fri 06:00-10:00; 14:00-15:30"
    region = load_region(str(declared(tmp_path, windows=hours, noise_windows="06:00-22:00")))
    assert region.site_by_id["s001"].windows == (
        (("mon", "tue", "wed", "fri"), time(6), time(10)),
        (("mon", "tue", "wed", "thu", "fri", "sat", "sun"), time(14), time(15, 30)),
    )
    again = tmp_path / "again"
    again.mkdir()
    write_region(region, again)
    assert load_region(str(again)) == region


def test_a_day_has_the_hours_that_both_noise_and_access_allow(region: Region) -> None:
    """Service is over when a span is; a site's own noise hours replace those of its service."""
    service = region.services[0]  # 7 to 17 o'clock

    def hours(one: Site, day: date = MONDAY) -> list[tuple[float, float]]:
        return [(w.earliest_s / H, w.latest_s / H) for w in visit_windows(service, one, day, H)]

    assert hours(site()) == [(7, 16)]
    assert hours(site(windows="mon-fri 06:00-10:00; mon 15:00-20:00")) == [(7, 9), (15, 16)]
    assert hours(site(noise_windows="06:00-22:00")) == [(6, 21)]
    both = site(noise_windows="06:00-22:00", windows="05:00-08:00")
    assert hours(both) == [(6, 7)]
    closed = site(windows="mon-fri 08:00-12:00")
    assert visit_windows(service, closed, SATURDAY, H) == (NEVER,)
    assert visit_windows(service, site(windows="08:00-08:30"), MONDAY, H) == (NEVER,)


def test_a_service_longer_than_its_hours_starts_with_them(region: Region) -> None:
    """What was always so: a stop too long for the service's day starts as early as it may."""
    service: Service = region.services[0]
    assert visit_windows(service, site(), MONDAY, 11 * H) == (TimeWindow(7 * H, 7 * H),)
