import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from api.console import STATIC
from config.files import road_layer
from optimizer.roads.layer import write_road_layer
from optimizer.roads.source import roads_of
from tests.fixtures.api import PlannedDay, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.db,
    pytest.mark.skipif(
        not Path("/usr/bin/chromium").exists(), reason="no Chromium at /usr/bin/chromium"
    ),
    pytest.mark.skipif(
        not (STATIC / "index.html").exists(),
        reason="the console is not built; run: python hatch_build.py",
    ),
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
]
PATIENCE_S = 60


@dataclass
class Visit:
    """A browser on the console, and what went wrong in it."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Load the page and wait until the map shows containers."""
        self.page.goto(self.address)
        self.wait(lambda: self.rendered("sites"))

    def rendered(self, layer: str) -> list[Any]:
        """Return what the map draws of a layer now."""
        ready = f"window.binroundMap?.getLayer({layer!r})"
        found: list[Any] = self.page.evaluate(
            f"{ready} ? binroundMap.queryRenderedFeatures({{layers: [{layer!r}]}})"
            ".map(f => ({properties: f.properties, geometry: f.geometry})) : []"
        )
        return found

    def wait(self, what: Callable[[], Any]) -> Any:
        """Return the first answer that is not empty."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            if answer := what():
                return answer
            self.page.wait_for_timeout(100)
        raise AssertionError(f"nothing came within {PATIENCE_S} s; {self.complaints}")

    def text(self) -> str:
        """Return what can be read on the page."""
        return self.page.inner_text("body")


def write_roads(day: PlannedDay) -> None:
    """Leave the region's roads where the API finds them, as the worker does."""
    data_dir = day.settings.data_dir
    write_road_layer(roads_of(day.region, data_dir), road_layer(data_dir, day.region.id))


@pytest.fixture
def page() -> Iterator[Page]:
    """Chromium with an empty page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        browser.close()


@pytest.fixture
def visit(planned_day: PlannedDay, page: Page) -> Iterator[Visit]:
    """A browser before the planned day, with the region's own roads."""
    write_roads(planned_day)
    with running(planned_day.app()) as address:
        visit = Visit(page, address)

        def on_console(message: Any) -> None:
            if message.type == "error":
                visit.complaints.append(message.text)

        def on_request(request: Any) -> None:
            if not request.url.startswith((address, "data:", "blob:")):
                visit.strangers.append(request.url)

        page.on("console", on_console)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("request", on_request)
        yield visit
        page.goto("about:blank")


def test_a_dispatcher_sees_the_day(visit: Visit, planned_day: PlannedDay) -> None:
    """Containers on roads, the tour, a truck that moves; all from our own server, no errors."""
    planned_day.publish()
    first, second = planned_day.way[1:3]
    planned_day.drive(*first, second=10)
    visit.open()

    every_site = {site.id for site in planned_day.region.sites}

    def all_drawn() -> bool:  # the map draws tile by tile
        return every_site == {found["properties"]["site"] for found in visit.rendered("sites")}

    assert visit.wait(all_drawn)
    assert visit.wait(lambda: visit.rendered("roads-minor"))
    assert visit.wait(lambda: visit.rendered("tours"))
    vehicle = planned_day.region.vehicles[0].name.split(",")[0]
    assert vehicle in visit.text()
    assert "0 of 3 stops" in visit.text()

    (before,) = visit.wait(lambda: visit.rendered("trucks"))
    planned_day.drive(*second, second=70)

    def there() -> bool:
        trucks = visit.rendered("trucks")
        return bool(trucks) and _near(trucks[0]["geometry"]["coordinates"], second)

    assert _near(before["geometry"]["coordinates"], first)
    assert visit.wait(there)

    planned_day.report("stop-done", 5400, stop=1)
    assert visit.wait(lambda: "1 of 3 stops" in visit.text())
    assert visit.complaints == []
    assert visit.strangers == []


def test_a_tour_and_a_site_open_by_keyboard_in_german(
    visit: Visit, planned_day: PlannedDay
) -> None:
    """No mouse is needed; everything that can be read is in the chosen language."""
    visit.open()
    page = visit.page

    page.get_by_role("button", name="Sprache: Deutsch").press("Enter")
    assert visit.wait(lambda: "Touren" in visit.text())
    assert "Entwurf" in visit.text()

    card = page.locator("article > button")
    card.press("Enter")
    assert visit.wait(lambda: len(visit.rendered("stop-discs")) == 3)
    assert planned_day.region.sites[0].name in visit.text()
    assert "Entladen" in visit.text()

    page.locator("article ol button").first.press("Enter")
    assert visit.wait(lambda: "Überlaufrisiko" in visit.text() and "gemessen" not in visit.text())
    page.keyboard.press("Escape")
    assert visit.wait(lambda: not visit.rendered("stop-discs"))
    assert visit.complaints == []


def test_a_draft_is_published_from_the_page(visit: Visit, planned_day: PlannedDay) -> None:
    """One button sends the tours to the trucks, and the page says so."""
    visit.open()
    visit.page.get_by_role("button", name="Publish to the trucks").click()
    assert visit.wait(lambda: "Published" in visit.text() and "sent to the truck" in visit.text())


def test_a_server_that_was_away_is_caught_up_with(planned_day: PlannedDay, page: Page) -> None:
    """The page keeps the last known state, says that it is that, and learns what it missed."""
    with running(planned_day.app()) as address:
        visit = Visit(page, address)
        visit.open()
        assert visit.wait(lambda: "Draft" in visit.text())
    assert visit.wait(lambda: "connection lost" in visit.text())
    assert "Draft" in visit.text()

    planned_day.publish()
    with running(planned_day.app(), port=int(address.rsplit(":", 1)[1])):
        assert visit.wait(lambda: "Published" in visit.text() and "lost" not in visit.text())
        page.goto("about:blank")


def _near(found: list[float], wanted: tuple[float, float]) -> bool:
    return all(abs(a - b) < 0.001 for a, b in zip(found, wanted, strict=True))


def test_roads_that_come_later_are_drawn(planned_day: PlannedDay, page: Page) -> None:
    """The day can be seen while a new region's roads are still being prepared."""
    with running(planned_day.app()) as address:
        visit = Visit(page, address)
        visit.open()
        assert visit.wait(lambda: "still being prepared" in visit.text())
        write_roads(planned_day)
        assert visit.wait(lambda: visit.rendered("roads-minor"))
        assert "still being prepared" not in visit.text()
        page.goto("about:blank")
