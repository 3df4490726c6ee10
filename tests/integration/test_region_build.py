"""`binround region build` makes a region from any OpenStreetMap extract."""

import filecmp
from pathlib import Path

import osmium
import pytest
from osmium.osm.mutable import Node, Way

from config.errors import BinroundError, RegionError, RoadsError
from config.region_folder import load_region
from jobs.build_region import BuildRequest, build_region, region_id
from jobs.region_streets import Streets
from optimizer.roads.town import write_town

CENTRE = (8.53, 52.02)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a generated town, with streets and nothing else."""
    path = tmp_path_factory.mktemp("town") / "town.osm.pbf"
    write_town(path, 3, 1500.0, *CENTRE)
    return path


@pytest.fixture(scope="module")
def mapped(town: Path) -> Path:
    """Return the town with a few recycling sites on its map."""
    path = town.parent / "mapped.osm.pbf"
    lon, lat = CENTRE
    corners = [(lon, lat), (lon + 0.0004, lat), (lon + 0.0004, lat + 0.0002), (lon, lat + 0.0002)]
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for ref, (x, y) in enumerate(corners, start=9_000_001):
            writer.add_node(Node(id=ref, location=(x, y)))
        sites = [
            {"recycling:glass_bottles": "yes", "recycling:glass": "yes", "name": "Market"},
            {"recycling:clothes": "yes", "recycling:shoes": "yes", "recycling:paper": "no"},
            {"recycling:batteries": "yes", "recycling:cardboard": "yes"},
            {},
        ]
        for ref, tags in enumerate(sites, start=9_000_011):
            place = (lon + 0.001 * (ref - 9_000_011), lat + 0.001)
            writer.add_node(Node(id=ref, location=place, tags={"amenity": "recycling", **tags}))
        waste = {"amenity": "waste_disposal"}
        writer.add_node(Node(id=9_000_021, location=(lon, lat - 0.001), tags=waste))
        writer.add_node(Node(id=9_000_022, location=(lon, lat), tags={"amenity": "waste_basket"}))
        ring = [*range(9_000_001, 9_000_005), 9_000_001]
        area = {"amenity": "recycling", "recycling:green_waste": "yes"}
        writer.add_way(Way(id=9_000_031, nodes=ring, tags=area))
        for entity in osmium.FileProcessor(str(town)):
            writer.add(entity)
    return path


def request(osm: Path, out: Path, **options: object) -> BuildRequest:
    """Return a request with a name."""
    return BuildRequest(osm=osm, name="Town", out=out, **options)  # type: ignore[arg-type]


def test_tags_become_containers(mapped: Path, tmp_path: Path) -> None:
    """Each `recycling:*` tag is one fraction, whatever else says the same; `no` is none."""
    region = build_region(request(mapped, tmp_path / "out"))
    found = {site.id: set[str]() for site in region.sites}
    for container in region.containers:
        found[container.site].add(container.fraction)
    glass = {"glass-white", "glass-green", "glass-brown"}
    assert found == {
        "osm-n9000011": glass,
        "osm-n9000012": {"textiles"},
        "osm-n9000013": {"other", "paper"},
        "osm-n9000014": glass,  # its tags say nothing
        "osm-n9000021": {"residual"},
        "osm-w9000031": {"bio"},
    }
    assert region.site_by_id["osm-n9000011"].name == "Market"
    assert {c.site for c in region.containers if c.synthetic} == {"osm-n9000014"}
    assert not any(site.synthetic for site in region.sites)


def test_an_area_lies_at_its_centroid(mapped: Path, tmp_path: Path) -> None:
    """A yard drawn as an area becomes a site in its middle."""
    site = build_region(request(mapped, tmp_path / "out")).site_by_id["osm-w9000031"]
    assert site.lon == pytest.approx(CENTRE[0] + 0.0002, abs=1e-6)
    assert site.lat == pytest.approx(CENTRE[1] + 0.0001, abs=1e-6)


def test_what_the_map_lacks_is_placed_and_marked(mapped: Path, tmp_path: Path) -> None:
    """With `--containers` a generator adds sites beside streets; depot and plant likewise."""
    region = build_region(request(mapped, tmp_path / "out", containers=60))
    assert len(region.containers) == 60
    added = [site for site in region.sites if site.synthetic]
    assert added
    streets = Streets.of(mapped)
    assert max(streets.distance_m(site.lon, site.lat) for site in added) < 10
    assert region.depots[0].source.startswith("synthetic")
    assert region.facilities[0].source.startswith("synthetic")


def test_given_places_are_kept(mapped: Path, tmp_path: Path) -> None:
    """`--depot` and `--facility` say where they are."""
    at = (CENTRE[0] + 0.002, CENTRE[1])
    region = build_region(request(mapped, tmp_path / "out", depot=at, facility=CENTRE))
    assert (region.depots[0].lon, region.depots[0].lat) == at
    assert (region.facilities[0].lon, region.facilities[0].lat) == CENTRE


def test_the_result_is_a_folder_of_its_own(mapped: Path, tmp_path: Path) -> None:
    """The extract goes along; the region is marked ODbL and thanks the contributors."""
    region = build_region(request(mapped, tmp_path / "out"))
    assert load_region(str(tmp_path / "out")) == region
    assert region.id == "town"
    assert region.licence == "ODbL-1.0"
    assert region.attribution == "© OpenStreetMap contributors"
    assert region.roads.extract == str(tmp_path / "out" / "mapped.osm.pbf")
    assert filecmp.cmp(region.roads.extract, mapped, shallow=False)
    assert {service.id for service in region.services} == {
        "glass", "textiles", "other", "paper", "residual", "bio",
    }  # fmt: skip


def test_the_fleet_grows_with_the_containers(town: Path, tmp_path: Path) -> None:
    """More containers get more trucks."""
    few = build_region(request(town, tmp_path / "few", containers=10))
    many = build_region(request(town, tmp_path / "many", containers=1500))
    assert len(few.vehicles) == 1
    assert 3 <= len(many.vehicles) <= 12


def test_the_same_seed_gives_the_same_region(mapped: Path, tmp_path: Path) -> None:
    """Every file is the same to the byte; another seed gives another region."""
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        build_region(request(mapped, tmp_path / name, containers=40, seed=seed))
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    same, different, _ = filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", files, shallow=False)
    assert (sorted(same), different) == (files, [])
    _, different, _ = filecmp.cmpfiles(tmp_path / "a", tmp_path / "c", files, shallow=False)
    assert {"containers.geojson", "depots.toml", "facilities.toml"} <= set(different)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"osm": Path("no-such.osm.pbf")}, "no file no-such.osm.pbf"),
        ({"name": "???"}, "--name needs a letter or digit"),
        ({"depot": (7.0, 49.0)}, r"--depot 7.0,49.0 is \d+.\d km from the nearest road"),
        ({"facility": (52.02, 8.53)}, r"--facility 52.02,8.53 is \d+.\d km"),
        ({"containers": None}, "no recycling sites; add --containers N"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    town: Path, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    """The message names the option, and nothing is left behind."""
    facts: dict[str, object] = {"osm": town, "name": "Town", "containers": 20, **options}
    with pytest.raises(RegionError, match=message) as caught:
        build_region(BuildRequest(out=tmp_path / "out", **facts))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_not_touched(town: Path, tmp_path: Path) -> None:
    """What is there already may be somebody's work."""
    (tmp_path / "out").mkdir()
    with pytest.raises(RegionError, match="is there already"):
        build_region(request(town, tmp_path / "out", containers=20))
    assert not list((tmp_path / "out").iterdir())


def test_a_place_that_cannot_be_written(town: Path, tmp_path: Path) -> None:
    """It is named in one line."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RegionError, match=r"cannot write .*/file/out: \w+"):
        build_region(request(town, tmp_path / "file" / "out", containers=20))


@pytest.mark.parametrize("content", [b"", b"not a map", b"\x00\x00\x00\x0d\x0a\x09OSMHeader"])
def test_a_file_that_is_no_extract(content: bytes, tmp_path: Path) -> None:
    """It is refused in one line, and nothing is left behind."""
    osm = tmp_path / "wrong.osm.pbf"
    osm.write_bytes(content)
    with pytest.raises((RoadsError, RegionError), match=r"wrong.osm.pbf") as caught:
        build_region(request(osm, tmp_path / "out", containers=20))
    assert isinstance(caught.value, BinroundError)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.osm.pbf"]


def test_kaiserslauterns_recycling_sites(outside_data: Path, tmp_path: Path) -> None:
    """The real extract has 60 recycling sites, and all of them are found."""
    osm = outside_data / "osm" / "kaiserslautern.osm.pbf"
    region = build_region(BuildRequest(osm=osm, name="Kaiserslautern", out=tmp_path / "kl"))
    assert len(region.sites) == 60
    assert not any(site.synthetic for site in region.sites)
    with_glass = {c.site for c in region.containers if c.fraction == "glass-white"}
    assert len(with_glass) == 37  # 34 tagged, 3 without tags
    assert len({c.site for c in region.containers if c.fraction == "textiles"}) == 24


def test_heidelberg_with_generated_containers(outside_data: Path, tmp_path: Path) -> None:
    """An extract with hardly any sites is filled up by the generator."""
    osm = outside_data / "osm" / "heidelberg.osm.pbf"
    region = build_region(
        BuildRequest(osm=osm, name="Heidelberg", out=tmp_path / "hd", containers=100)
    )
    assert len(region.containers) == 100
    assert sum(not site.synthetic for site in region.sites) == 4
    assert len({site.name for site in region.sites}) == len(region.sites)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Bad Dürkheim", "bad-durkheim"), ("  Köln-Süd ", "koln-sud"), ("x", "x"), ("大", "")],
)
def test_an_id_is_made_from_a_name(name: str, expected: str) -> None:
    """Ids hold only what topics and file names can carry."""
    assert region_id(name) == expected
