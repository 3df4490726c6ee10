"""Every mistake in a region folder is named with its file, line and field."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.errors import RegionError
from config.region_containers import ContainerRow
from config.region_folder import find_folder, load_region
from tests.fixtures.broker import NO_NAMES

Feature = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the example region, to be spoilt."""
    return Path(shutil.copytree(find_folder("example"), tmp_path / "spoilt"))


def mistakes_of(folder: Path) -> list[str]:
    """Return what is wrong with a folder."""
    with pytest.raises(RegionError) as caught:
        load_region(str(folder))
    return caught.value.mistakes


def replace(folder: Path, file: str, old: str, new: str) -> int:
    """Replace the first occurrence and return its line."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


SINGLE = [
    ("region.toml", 'zone = "Europe/Berlin"', 'zone = "Europe/Bielefeld"', "zone", "no time zone"),
    ("region.toml", 'currency = "EUR"', 'currency = "USD"', "currency", "'EUR'"),
    ("region.toml", 'licence = "', 'license = "', "license", "did you mean licence?"),
    ("region.toml", "town_seed = 11", 'town_seed = "x"', "roads.town_seed", "integer"),
    ("region.toml", "town_seed = 11", "twon_seed = 11", "roads.twon_seed", "mean town_seed?"),
    ("region.toml", "town_seed = 11", 'extract = "no.osm.pbf"', "roads.extract", "no file"),
    ("region.toml", "positions_days = 14", "positions_days = 0", "retention.positions_days", "1"),
    ("region.toml", 'purpose = "A', 'purpose = " " # "A', "retention.purpose", "needed for"),
    (
        "region.toml",
        "positions_days = 14",
        "positions_days = 15",
        "retention.positions_days",
        "say which in longer_because",
    ),
    ("region.toml", "crew_days = 7", "crew_days = 8", "retention.crew_days", "more than 7 days"),
    ("region.toml", "crew_days = 7", "backup_days = 8", "retention.backup_days", "more than 7"),
    ("region.toml", 'id = "glass-white"', 'id = "Glass White"', "id", "use a-z"),
    ("region.toml", "fill_per_day = 0.05", "fill_per_day = inf", "fill_per_day", "finite"),
    ("region.toml", 'rule_profile = "eu561"', 'rule_profile = "eu"', "rule_profile", "'arbzg'"),
    ("region.toml", 'earliest = "07:00"', "earliest = 7", "earliest", 'write a time as "07:30"'),
    ("region.toml", 'earliest = "07:00"', 'earliest = "25:00"', "earliest", "hour"),
    ("region.toml", 'earliest = "07:00"', 'earliest = "07:00Z"', "earliest", "without a zone"),
    ("region.toml", "site_s = 90", "site_s = -90", "site_s", "greater than or equal to 0"),
    ("region.toml", '["mon", "tue"', '["mon", "die"', "collection_days[1]", "'tue'"),
    ("depots.toml", 'id = "depot"', 'id = "depot"\nheight = 3', "height", "unknown field"),
    ("facilities.toml", 'closes = "17:00"', 'closes = "24:00"', "hours[0].closes", "hour"),
    ("facilities.toml", "unload_s = 900", "unload_s = 1e99", "unload_s", "integer"),
    ("vehicles.toml", "payload_kg = 6000", "payload_kg = -6000", "payload_kg", "greater than 0"),
    ("vehicles.toml", "payload_kg = 6000", "payload_kg = true", "payload_kg", "true is no value"),
    ("vehicles.toml", "10000", "0", "compartments[0].capacity_l", "greater than 0"),
    ("vehicles.toml", "payload_kg = 6000", "payload_kg = 6000\nwidth_m = 0", "width_m", "than 0"),
    (
        "vehicles.toml",
        "payload_kg = 6000",
        "payload_kg = 6000\nmax_stops = 1.5",
        "max_stops",
        "integer",
    ),
    (
        "facilities.toml",
        "unload_s = 900",
        'unload_s = 900\nqueue = [{since = "10:00", wait_s = -1}]',
        "queue[0].wait_s",
        "greater than or equal to 0",
    ),
    (
        "facilities.toml",
        "unload_s = 900",
        'unload_s = 900\nqueue = [{since = "10:00", wait_s = 60}, {since = "09:00", wait_s = 0}]',
        "queue",
        "since 09:00 is not after 10:00",
    ),
    ("holidays.toml", "2025-01-01", "2025-13-01", "holidays.2025-13-01", "date"),
]


@pytest.mark.parametrize(("file", "old", "new", "field", "message"), SINGLE)
def test_a_wrong_field_is_named(
    folder: Path, file: str, old: str, new: str, field: str, message: str
) -> None:
    """An unknown, missing, ill-typed, negative or ill-timed field is the one mistake reported."""
    line = replace(folder, file, old, new) + new.count("\n")
    mistakes = mistakes_of(folder)
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"{file}:{line}: {field}: ")
    assert message in mistakes[0]


SPANS = [
    ("region.toml", 'latest = "17:00"', 'latest = "06:00"', "services", "not after earliest"),
    ("facilities.toml", 'opens = "07:00"', 'opens = "18:00"', "hours[0]", "not after opens"),
    ("facilities.toml", 'opens = "07:00"', 'opens = "16:50"', "hours[0]", "shorter than unload_s"),
    ("vehicles.toml", 'shift_end = "14:48"', 'shift_end = "01:00"', "vehicles[0]", "not after"),
    ("depots.toml", 'name = "Depot"\n', "", "name", "is missing"),
    ("vehicles.toml", "payload_kg = 6000\n", "", "payload_kg", "is missing"),
    ("vehicles.toml", "payload_kg", "battery_kwh = 300\npayload_kg", "vehicles[0]", "kwh_per_km"),
    ("vehicles.toml", "payload_kg", "kwh_per_km = 1.6\npayload_kg", "vehicles[0]", "battery_kwh"),
    ("vehicles.toml", "payload_kg", 'latest_start = "06:00"\npayload_kg', "vehicles[0]", "between"),
    (
        "vehicles.toml",
        "payload_kg",
        "overtime_eur_per_h = 9\npayload_kg",
        "vehicles[0]",
        "needs overtime_after_h",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "field", "message"), SPANS)
def test_a_mistake_of_a_whole_table_points_to_its_head(
    folder: Path, file: str, old: str, new: str, field: str, message: str
) -> None:
    """What is missing or contradicts itself is reported at the table that it belongs to."""
    line = replace(folder, file, old, new)
    mistakes = mistakes_of(folder)
    assert len(mistakes) == 1
    name, at, what = mistakes[0].split(":", 2)
    assert name == file
    head = (folder / file).read_text(encoding="utf-8").splitlines()[int(at) - 1]
    assert head.startswith("[[")
    assert int(at) <= line
    assert field in what
    assert message in what


TOGETHER = [
    ("region.toml", '"glass-white", "glass-mixed"]', '"glass-white"]',
     ["region.toml:30: id: 'glass-mixed' is collected by no service"]),
    ("region.toml", '"glass-white", "glass-mixed"]', '"glass-white", "glass-mixd"]',
     ["region.toml:30: id: 'glass-mixed' is collected by no service",
      "region.toml:42: fractions[1]: no 'glass-mixd' among the fractions; did you mean"]),
    ("region.toml", 'id = "glass-mixed"', 'id = "glass-white"',
     ["region.toml:30: id: 'glass-white' is already used in line 21"]),
    ("vehicles.toml", 'depot = "depot"', 'depot = "depo"',
     ["vehicles.toml:4: depot: no 'depo' among the depots; did you mean depot?"]),
    ("vehicles.toml", 'services = ["glass"]', 'services = ["class"]',
     ["vehicles.toml:5: services[0]: no 'class' among the services; did you mean glass?"]),
    ("vehicles.toml", 'id = "truck-2"', 'id = "truck-1"',
     ["vehicles.toml:24: id: 'truck-1' is already used in line 2"]),
    ("vehicles.toml", 'fractions = ["glass-white"]', 'fractions = ["glass-white", "glass-mixed"]',
     ["vehicles.toml:19: compartments[1].fractions: 'glass-mixed' has two compartments"]),
    ("region.toml", '"glass-white", "glass-mixed"]', '"glass-white", "glass-mixed", "glass-white"]',
     ["region.toml:21: id: 'glass-white' is collected more than once"]),
    ("vehicles.toml", 'shift_start = "06:45"\nshift_end = "14:48"',
     'shift_start = "17:00"\nshift_end = "23:00"',
     ["vehicles.toml:7: shift_start: outside the hours of 'glass', 07:00 to 17:00"]),
    ("facilities.toml", '"glass-white", "glass-mixed"]', '"glass-white"]',
     ["region.toml:42: fractions[1]: no facility takes 'glass-mixed'"]),
    ("facilities.toml", '["mon", "tue", ', '["tue", ',
     ["region.toml:42: fractions[0]: no facility takes 'glass-white' on mon"]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "expected"), TOGETHER)
def test_facts_have_to_fit_together(
    folder: Path, file: str, old: str, new: str, expected: list[str]
) -> None:
    """Dangling references, repeated ids and what nobody collects or takes are mistakes."""
    replace(folder, file, old, new)
    mistakes = mistakes_of(folder)
    for start in expected:
        assert [line for line in mistakes if line.startswith(start)], mistakes


def test_each_depot_of_a_service_carries_all_its_fractions(folder: Path) -> None:
    """A fraction that no vehicle of a depot has a compartment for is a mistake."""
    path = folder / "vehicles.toml"
    path.write_text(path.read_text().replace('["glass-mixed"]', '["glass-white"]'))
    assert (
        "region.toml:42: fractions[1]: no vehicle of depot 'depot' has a compartment for "
        "'glass-mixed'"
    ) in mistakes_of(folder)


def test_a_vehicle_carries_something_of_each_of_its_services(folder: Path) -> None:
    """A vehicle without a compartment for a service it is listed for is a mistake."""
    with (folder / "vehicles.toml").open("a", encoding="utf-8") as file:
        file.write('[[vehicles.compartments]]\nfractions = ["paper"]\n')
        file.write("capacity_l = 1\ncapacity_kg = 1\n")
    path = folder / "vehicles.toml"
    head, truck = path.read_text().rsplit("[[vehicles]]", 1)
    truck = truck.replace('"glass-white"', '"paper"').replace('"glass-mixed"', '"paper"')
    path.write_text(f"{head}[[vehicles]]{truck}")
    assert "vehicles.toml:27: services[0]: no compartment takes anything of 'glass'" in mistakes_of(
        folder
    )


def test_missing_tables_are_named(folder: Path) -> None:
    """Whatever region.toml lacks is named, and not what follows from it."""
    (folder / "region.toml").write_text('id = "example"\n')
    assert mistakes_of(folder) == [
        "region.toml:1: fractions: is missing; declare [[fractions]]",
        "region.toml:1: name: is missing",
        "region.toml:1: retention: is missing",
        "region.toml:1: roads: is missing",
        "region.toml:1: services: is missing; declare [[services]]",
        "region.toml:1: zone: is missing",
    ]


def test_a_service_without_vehicles_is_a_mistake(folder: Path) -> None:
    """Nobody would collect its fractions."""
    with (folder / "region.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[fractions]]\nid = "paper"\nname_de = "Papier"\nname_en = "Paper"\n'
            "container_kg_per_m3 = 80\ntruck_kg_per_m3 = 300\n"
            '[[services]]\nid = "paper"\nname_de = "Papier"\nname_en = "Paper"\n'
            'fractions = ["paper"]\nrule_profile = "eu561"\nsite_s = 1\ncontainer_s = 1\n'
            "overflow_eur_per_day = 1\ncalendar_days = 10\n"
        )
    text = "\n".join(mistakes_of(folder))
    assert "id: no vehicle does service 'paper'" in text
    assert "fractions[0]: no facility takes 'paper'" in text


def test_a_facility_that_serves_nobody_is_a_mistake(folder: Path) -> None:
    """It would never be driven to; most likely its list of fractions is wrong."""
    with (folder / "facilities.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[facilities]]\nid = "tip"\nname = "Tip"\nlon = 8.54\nlat = 52.02\n'
            'accepts = ["residual"]\nunload_s = 1\nhours = [{opens = "07:00", closes = "08:00"}]\n'
        )
    mistakes = mistakes_of(folder)
    assert "facilities.toml:18: accepts: nothing of it is collected by any service" in mistakes
    assert "facilities.toml:18: accepts[0]: no 'residual' among the fractions" in mistakes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lon = 8.5200\nlat = 52.0220", "lon = 52.0220\nlat = 8.5200", "lon and lat are swapped"),
        ("lon = 8.5200", "lon = 5.5200", "206 km from the centre"),
    ],
)
def test_places_lie_in_the_region(folder: Path, old: str, new: str, message: str) -> None:
    """Swapped or far-off coordinates are named as what they are."""
    line = replace(folder, "depots.toml", old, new)
    (mistake,) = mistakes_of(folder)
    assert mistake.startswith(f"depots.toml:{line}: lon: ")
    assert message in mistake


def test_a_wrong_centre_is_reported_once(folder: Path) -> None:
    """When no place is near the centre, the centre is the mistake, not every container."""
    line = replace(folder, "region.toml", "centre_lon = 8.53", "centre_lon = 80.53")
    (mistake,) = mistakes_of(folder)
    assert mistake.startswith(f"region.toml:{line}: roads.centre_lon: no place of the region")


def test_a_toml_syntax_error_has_its_line(folder: Path) -> None:
    """A file that cannot be parsed is one mistake; the other files are still checked."""
    line = replace(folder, "vehicles.toml", "payload_kg = 6000", "payload_kg 6000")
    replace(folder, "depots.toml", "lat = 52.0220", "lat = 95")
    mistakes = mistakes_of(folder)
    assert [m for m in mistakes if m.startswith(f"vehicles.toml:{line}: syntax: ")]
    assert [m for m in mistakes if m.startswith("depots.toml:5: lat: 95: ")]
    assert len(mistakes) == 2


def test_an_unfinished_toml_file_points_to_its_end(folder: Path) -> None:
    """What breaks off is reported on the last line."""
    path = folder / "depots.toml"
    path.write_text('[[depots]]\nid = "depot"\nname = "unfin', encoding="utf-8")
    (mistake,) = mistakes_of(folder)
    assert mistake.startswith("depots.toml:3: syntax: ")


@pytest.mark.parametrize("file", ["region.toml", "vehicles.toml", "holidays.toml"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    """Each file has to be there."""
    (folder / file).unlink()
    assert f"{file}:1: file: cannot be read: No such file or directory" in mistakes_of(folder)


def test_a_file_that_is_not_utf8_is_named(folder: Path) -> None:
    """A file saved in another encoding is told apart from one with a wrong value."""
    (folder / "depots.toml").write_bytes(b'[[depots]]\nname = "B\xfcro"\n')
    (folder / "containers.geojson").write_bytes(b'{"name": "Stra\xdfe"}')
    mistakes = mistakes_of(folder)
    assert "depots.toml:1: encoding: not UTF-8 (byte 20); save it as UTF-8" in mistakes
    assert "containers.geojson:1: encoding: not UTF-8 (byte 14); save it as UTF-8" in mistakes


def test_every_mistake_is_reported_at_once(folder: Path) -> None:
    """One run names them all, in the order of files and lines."""
    replace(folder, "depots.toml", "lat = 52.0220", "lat = 95")
    replace(folder, "facilities.toml", "unload_s = 900", "unload_s = -1")
    replace(folder, "vehicles.toml", "payload_kg = 6000", "payload_kg = 0")
    replace(folder, "vehicles.toml", "payload_kg = 4000", "payload_kg = 0")
    files = [mistake.split(":")[0] for mistake in mistakes_of(folder)]
    assert files == ["depots.toml", "facilities.toml", "vehicles.toml", "vehicles.toml"]


def change_feature(folder: Path, index: int, change: Callable[[Feature], None]) -> int:
    """Change a feature, write the file with indentation and return the feature's first line."""
    path = folder / "containers.geojson"
    whole = json.loads(path.read_text())
    change(whole["features"][index])
    path.write_text(json.dumps(whole, indent=2))
    before = json.dumps({**whole, "features": whole["features"][:index]}, indent=2)
    return before.count("\n") + (1 if index == 0 else 0)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (lambda f: f["properties"].update(volume_l=-1), "volume_l", "greater than 0"),
        (lambda f: f["properties"].update(volume_l=90000), "volume_l", "does not fit into any"),
        (lambda f: f["properties"].update(fraction="glas"), "fraction", "no 'glas' among"),
        (lambda f: f["properties"].update(color="white"), "color", "unknown field"),
        (lambda f: f["properties"].pop("volume_l"), "volume_l", "is missing"),
        (lambda f: f["properties"].update(sensor="truck-1"), "sensor", "id of a vehicle"),
        (lambda f: f["properties"].update(site="plant"), "site", "id of a facility"),
        (lambda f: f["geometry"]["coordinates"].reverse(), "lon", "swapped"),
        (lambda f: f["geometry"].update(type="LineString"), "geometry", "no Point"),
        (lambda f: f["geometry"].update(coordinates=["a", 52.02]), "lon", "number"),
    ],
)
def test_a_wrong_feature_is_named(
    folder: Path,
    change: Callable[[Feature], None],
    field: str,
    message: str,
) -> None:
    """A mistake in the GeoJSON has the line of its field inside the feature."""
    first = change_feature(folder, 7, change)
    text = (folder / "containers.geojson").read_text().splitlines()
    found = [m for m in mistakes_of(folder) if message in m]
    assert found
    name, line, what, _ = found[0].split(":", 3)
    assert name == "containers.geojson"
    assert what.strip() == field
    assert first <= int(line) < first + 20
    wanted = {"lon": "coordinates", "geometry": "coordinates"}.get(field, field)
    assert wanted in text[int(line) - 1] or message == "is missing"


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_device_has_a_name_that_no_broker_misreads(folder: Path, name: str) -> None:
    """Units have their vehicle's name, sensors their own; both become a part of a topic."""
    change_feature(folder, 0, lambda feature: feature["properties"].update(sensor=name))
    line = replace(folder, "vehicles.toml", '"truck-1"', json.dumps(name))
    sensor, truck = mistakes_of(folder)
    said = f"{name!r}: use a-z, 0-9 and -, at most 32 characters"
    assert truck == f"vehicles.toml:{line}: id: {said}"
    assert sensor.endswith(f": sensor: {said}")


def test_rows_of_a_site_agree(folder: Path) -> None:
    """A site whose containers lie at two places is a mistake."""

    def move(feature: Feature) -> None:
        feature["geometry"]["coordinates"][0] += 0.001

    change_feature(folder, 1, move)
    assert any("lon: differs from line" in mistake for mistake in mistakes_of(folder))


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ('{"type": "FeatureCollection",\n "features": [1, 2\n', "containers.geojson:3: syntax: "),
        ('{"type": "FeatureCollection"}', "containers.geojson:1: features: is missing"),
        ("[]", "containers.geojson:1: features: is missing"),
        ('{"features": [\n17]}', "containers.geojson:2: geometry: is no Point"),
        ('{"features": []}', "containers.geojson:1: features: there is no container"),
    ],
)
def test_geojson_that_is_none(folder: Path, text: str, start: str) -> None:
    """A broken or empty file of containers is one clear mistake."""
    (folder / "containers.geojson").write_text(text)
    (mistake,) = mistakes_of(folder)
    assert mistake.startswith(start)


def write_csv(folder: Path, rows: list[str], separator: str = ",") -> None:
    """Put a CSV in the place of the folder's GeoJSON."""
    (folder / "containers.geojson").unlink()
    text = "\n".join(rows) + "\n"
    (folder / "containers.csv").write_text(text.replace(",", separator), encoding="utf-8-sig")


HEADER = "id,site,site_name,lon,lat,fraction,volume_l,sensor"
FIRST = "c1,s1,Market,8.531,52.021,glass-white,3000,lvl-1"
SECOND = "c2,s1,Market,8.531,52.021,glass-mixed,3000,"


@pytest.mark.parametrize("separator", [",", ";"])
def test_containers_can_come_as_csv(folder: Path, separator: str) -> None:
    """A spreadsheet's export is read as it is: comma or semicolon, byte order mark, empty cells."""
    write_csv(folder, [HEADER, FIRST, SECOND], separator)
    region = load_region(str(folder))
    assert [container.id for container in region.containers] == ["c1", "c2"]
    assert [site.name for site in region.sites] == ["Market"]
    assert region.containers[1].sensor is None


@pytest.mark.parametrize(
    ("rows", "start"),
    [
        ([HEADER, FIRST, SECOND + ",7"], "containers.csv:3: row: 9 cells, but the header has 8"),
        ([HEADER, FIRST, "c2,s2"], "containers.csv:3: row: 2 cells, but the header has 8"),
        ([HEADER.replace("sensor", "site"), FIRST],
         "containers.csv:1: site: there are several columns of this name"),
        ([HEADER], "containers.csv:1: row: there is no container"),
        ([HEADER, FIRST, "", FIRST], "containers.csv:4: id: 'c1' is already used in line 2"),
        ([HEADER, FIRST.replace("3000", "3 m3")], "containers.csv:2: volume_l: '3 m3': "),
        ([HEADER, FIRST.replace("3000", "")], "containers.csv:2: volume_l: is missing"),
        ([HEADER.replace("volume_l", "volume"), FIRST], "containers.csv:1: volume: unknown column"),
        ([HEADER, FIRST.replace("8.531,52.021", "52.021,8.531"), SECOND.replace("s1", "s2")],
         "containers.csv:2: lon: 52.021, 8.531: lon and lat are swapped"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named(folder: Path, rows: list[str], start: str) -> None:
    """A mistake in the CSV has the line of its row."""
    write_csv(folder, rows)
    assert [m for m in mistakes_of(folder) if m.startswith(start)], mistakes_of(folder)


def test_containers_come_from_one_file(folder: Path) -> None:
    """Two lists of containers would contradict each other."""
    (folder / "containers.csv").write_text(HEADER)
    (mistake,) = mistakes_of(folder)
    assert mistake.startswith("containers.geojson:1: containers.csv: both are there")
    (folder / "containers.csv").unlink()
    (folder / "containers.geojson").unlink()
    assert "neither is there" in mistakes_of(folder)[0]


def test_a_region_that_is_not_there() -> None:
    """The message names what ships."""
    with pytest.raises(RegionError, match=r"neither a folder nor .*bielefeld, example"):
        load_region("atlantis")


def test_rows_hold_all_of_sites_and_containers() -> None:
    """Whatever the models say about a site or container can be declared."""
    from config.region import Container, Site

    said = set(ContainerRow.model_fields)
    assert set(Container.model_fields) <= said
    assert {"lon", "lat", "curb"} <= said & set(Site.model_fields)
