"""A region that is written is read back the same."""

from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.region import Region
from config.region_folder import load_region, shipped_regions
from config.region_write import write_region

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@pytest.mark.parametrize("name", shipped_regions())
def test_a_shipped_region_survives_being_written(name: str, tmp_path: Path) -> None:
    """Loading, writing and loading again changes nothing."""
    region = load_region(name)
    write_region(region, tmp_path, "A comment\nof two lines")
    assert load_region(str(tmp_path)) == region


@given(TEXTS, st.floats(8.0, 9.0), st.times(time(0, 15)), st.dictionaries(DAYS, TEXTS))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_text_number_and_time_survives(
    tmp_path_factory: pytest.TempPathFactory,
    text: str,
    lon: float,
    closes: time,
    holidays: dict[date, str],
) -> None:
    """Quotes, backslashes, umlauts, long fractions and microseconds are written as they are."""
    region = load_region("example")
    depot = region.depots[0].model_copy(update={"name": text, "lon": lon, "source": text})
    hours = region.facilities[0].hours[0].model_copy(update={"opens": time(), "closes": closes})
    facility = region.facilities[0].model_copy(update={"hours": (hours,)})
    site = region.sites[0].model_copy(update={"name": text, "curb": True})
    region = region.model_copy(
        update={
            "name": text,
            "depots": (depot,),
            "facilities": (facility,),
            "sites": (site, *region.sites[1:]),
            "holidays": holidays,
        }
    )
    folder = tmp_path_factory.mktemp("region")
    write_region(region, folder)
    assert load_region(str(folder)) == region


def test_the_extract_goes_along(tmp_path: Path) -> None:
    """A region is one folder: the road extract that it names is copied into it."""
    extract = tmp_path / "streets.osm.pbf"
    extract.write_bytes(b"streets")
    region = load_region("example")
    roads = region.roads.model_copy(update={"extract": str(extract)})
    folder = tmp_path / "out"
    folder.mkdir()
    write_region(region.model_copy(update={"roads": roads}), folder)
    extract.unlink()
    loaded = load_region(str(folder))
    assert loaded.roads.extract is not None
    assert Path(loaded.roads.extract).read_bytes() == b"streets"
    assert Path(loaded.roads.extract).parent == folder


def test_a_region_knows_its_days() -> None:
    """A service runs on its weekdays, but not on holidays; the next day skips both."""
    region: Region = load_region("bielefeld")
    glass = region.services[0]
    corpus_christi = date(2026, 6, 4)  # a Thursday
    assert region.holidays[corpus_christi] == "Fronleichnam"
    assert not region.is_collection_day(glass, corpus_christi)
    assert region.next_collection_day(glass, date(2026, 6, 3)) == date(2026, 6, 5)
    assert region.next_collection_day(glass, date(2026, 12, 24)) == date(2026, 12, 28)
