"""The tiny region that ships, and its roads, for tests of planning and of planning again."""

from pathlib import Path

import pytest

from config.region import Region
from config.region_folder import load_region
from config.settings import Settings
from jobs.plan_day import open_travel
from optimizer.road_times import TravelTimes


@pytest.fixture(scope="session")
def region() -> Region:
    """The tiny region that ships."""
    return load_region("example")


@pytest.fixture(scope="session")
def settings(roads_cache: Path) -> Settings:
    """Little time to search; a folder for road graphs that outlives the run."""
    return Settings(data_dir=roads_cache, region="example", plan_budget_s=2.0)


@pytest.fixture(scope="session")
def travel(settings: Settings, region: Region) -> TravelTimes:
    """The region's roads, from the real engine."""
    return open_travel(settings, region)
