"""How plans are read: CSV of any dispatcher, JSON of ours; mistakes name their line or field."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import FileFormatError
from optimizer.certify import (
    Action,
    GivenPlan,
    GivenStop,
    GivenTour,
    certify,
    read_given,
    write_csv,
)
from optimizer.certify.csv_file import parse_csv
from optimizer.certify.given import named
from optimizer.certify.json_file import parse_json
from optimizer.certify.printed import html, lines
from optimizer.roads.haversine import Haversine
from tests.conftest import ROOT
from tests.fixtures.certify import TUESDAY, example

BERLIN = ZoneInfo("Europe/Berlin")
FOREIGN = ROOT / "tests" / "data" / "certify" / "foreign.csv"
HEAD = "date,vehicle,action,place,arrival,departure,kg\n"


def test_a_german_file_is_read() -> None:
    """Semicolons, decimal commas, German headings, words and dates; unknown columns are named."""
    plan = read_given(FOREIGN, BERLIN)
    [tour] = plan.tours
    assert (tour.name, tour.vehicle, tour.day, tour.crew) == ("truck-1", "truck-1", TUESDAY, 1)
    assert [stop.action for stop in tour.stops] == [
        Action.START, Action.COLLECT, Action.COLLECT, Action.COLLECT, Action.UNLOAD,
        Action.COLLECT, Action.END,
    ]  # fmt: skip
    first, second = tour.stops[1], tour.stops[2]
    assert (first.place, first.arrival_s, first.departure_s) == ("s001", 25_200, 25_800)
    assert (first.kg, first.kg_by, first.fraction) == (402.5, {"glass-white": 402.5}, "glass-white")
    assert (first.reverse, second.reverse, first.line) == (False, True, 3)
    assert plan.unused == ("Disponent",)
    assert plan.digest == hashlib.sha256(FOREIGN.read_bytes()).hexdigest()


def test_windows_text_is_read(tmp_path: Path) -> None:
    """A file as old spreadsheets save it."""
    path = tmp_path / "plan.csv"
    path.write_bytes(FOREIGN.read_text(encoding="utf-8").encode("cp1252"))
    assert read_given(path, BERLIN).tours == read_given(FOREIGN, BERLIN).tours


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("date,action,place\n", "plan.csv:1: vehicle: this column is missing"),
        ("vehicle,place\nt,s\n", "plan.csv:1: date: this column is missing; add it, or"),
        ("date,vehicle\n2026-11-24,t\n", "plan.csv:1: place: this column is missing; or give lon"),
        ("date,vehicle,place,ort\n", "plan.csv:1: place: there are several columns of this name"),
        (HEAD, "plan.csv:1: there is no stop; write one row for each"),
        (HEAD + "2026-11-24,t,collect,s,7h,,\n", "plan.csv:2: arrival: '7h': write a time as"),
        (HEAD + "2026-13-24,t,collect,s,,,\n", "plan.csv:2: date: '2026-13-24': write a date as"),
        (HEAD + "2026-11-24,,collect,s,,,\n", "plan.csv:2: vehicle: is empty"),
        (HEAD + "2026-11-24,t,empty,s,,,\n", "plan.csv:2: action: 'empty': write start, collect,"),
        (HEAD + "2026-11-24,t,collect,s,,,-3\n", "plan.csv:2: kg: '-3': must not be below 0"),
        (HEAD + "2026-11-24,t,collect,s,,,1e9\n", "plan.csv:2: kg: '1e9': write a number as"),
        (HEAD + "2026-11-24,t,collect,,,,\n", "plan.csv:2: place: is empty; or give lon and lat"),
        (HEAD + "2026-11-24,t,collect\n", "plan.csv:2: 3 cells, but the header has 7"),
        (
            "date,vehicle,place,crew\n2026-11-24,t,a,1\n2026-11-24,t,b,2\n",
            "plan.csv:3: crew: is 2, and 1 in other rows of the same tour",
        ),
    ],
)  # fmt: skip
def test_a_mistake_names_its_line(text: str, told: str) -> None:
    """File, line, column, and what to write instead."""
    with pytest.raises(FileFormatError) as refused:
        parse_csv(text, "plan.csv")
    assert str(refused.value).startswith(told)


def test_a_plan_without_dates_takes_the_given_day() -> None:
    """`--date` stands in for the column."""
    plan = parse_csv("vehicle,place\nt,s\n", "plan.csv", TUESDAY)
    assert plan.tours[0].day == TUESDAY


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    """And said what it should be."""
    with pytest.raises(FileFormatError, match=r"ends with \.csv or \.json"):
        read_given(tmp_path / "plan.xlsx", BERLIN)
    (tmp_path / "plan.json").write_text('{"tours": []}')
    with pytest.raises(FileFormatError, match=r"plan\.json: there is no tour in it"):
        read_given(tmp_path / "plan.json", BERLIN)
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_given(tmp_path / "away.csv", BERLIN)


API_TOUR = {
    "id": "p-1", "plan": "p", "vehicle": "truck-1", "revision": 1,
    "start": "2026-11-24T05:50:00Z", "end": "2026-11-24T09:00:00Z",
    "stop_list": [
        {"number": 1, "kind": "visit", "id": "s001", "lon": 8.5, "lat": 52.0,
         "arrival": "2026-11-24T06:00:00Z", "departure": "2026-11-24T06:10:00Z", "service_s": 300,
         "containers": ["s001-1"], "kg": 100.0, "litres": 310.0},
        {"number": 2, "kind": "break", "id": "ArbZG §4", "lon": None, "lat": None,
         "arrival": "2026-11-24T06:10:00Z", "departure": "2026-11-24T06:40:00Z"},
    ],
}  # fmt: skip


def test_a_tour_of_the_api_is_read() -> None:
    """Instants become wall-clock times of the region; service starts when waiting is over."""
    [tour] = parse_json(API_TOUR, "tour.json", BERLIN).tours
    assert (tour.vehicle, tour.day) == ("truck-1", TUESDAY)
    start, visit, rest, end = tour.stops
    assert (start.departure_s, end.arrival_s) == (24_600, 36_000)
    assert (visit.arrival_s, visit.start_s, visit.departure_s) == (25_200, 25_500, 25_800)
    assert (rest.action, rest.place, rest.arrival_s) == (Action.BREAK, None, 25_800)


def test_geojson_and_lists_of_tours_are_read() -> None:
    """The API gives a tour as GeoJSON too; several may stand in a list."""
    stops = API_TOUR["stop_list"]
    assert isinstance(stops, list)
    features = [
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": []},
         "properties": {k: v for k, v in API_TOUR.items() if k != "stop_list"}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [8.5, 52.0]},
         "properties": {k: v for k, v in stops[0].items() if k not in ("lon", "lat")}},
        {"type": "Feature", "geometry": None, "properties": stops[1]},
    ]  # fmt: skip
    layer = {"type": "FeatureCollection", "features": features}
    plain = parse_json(API_TOUR, "tour.json", BERLIN).tours
    assert parse_json(layer, "tour.geojson", BERLIN).tours == plain
    assert len(parse_json([API_TOUR, API_TOUR], "tours.json", BERLIN).tours) == 2


def test_a_plan_of_solve_is_read() -> None:
    """plan.json has seconds of the day, and its breaks apart."""
    document = {
        "tours": [
            {
                "vehicle": "truck-1", "start_s": 24_600, "end_s": 30_000,
                "visits": ["s001", "plant"], "arrival_s": [25_200, 27_000],
                "service_start_s": [25_200, 27_900], "departure_s": [25_500, 28_800],
                "breaks": [{"rule": "x", "start_s": 27_000, "end_s": 27_900}],
            }
        ]
    }  # fmt: skip
    [tour] = parse_json(document, "plan.json", BERLIN, TUESDAY).tours
    assert [stop.place for stop in tour.stops] == [None, "s001", "plant", None, None]
    assert tour.stops[2].start_s == 27_900
    with pytest.raises(FileFormatError, match=r"plan.json: tours\[0\]: day: is missing"):
        parse_json(document, "plan.json", BERLIN)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"plans": []}, "this is no plan"),
        ({"tours": [3]}, r"tours\[0\]: is no object"),
        ({"day": "2026-11-24", "tours": [{"stops": []}]}, r"tours\[0\].vehicle: Field required"),
        (
            {"day": "2026-11-24", "tours": [{"vehicle": "t", "stops": [{"arrival": "soon"}]}]},
            r"tours\[0\]: 'soon': write a time as 07:30",
        ),
        (
            {"day": "2026-11-24", "tours": [{"vehicle": "t", "start": -1, "stops": []}]},
            r"tours\[0\]: -1: is no second of the day",
        ),
        (
            {"tours": [{"vehicle": "t", "start": "2026-11-24T06:00:00", "stops": []}]},
            "has no zone",
        ),
    ],
)
def test_a_mistake_names_its_field(document: object, told: str) -> None:
    """File and field."""
    with pytest.raises(FileFormatError, match=told):
        parse_json(document, "plan.json", BERLIN)


seconds = st.none() | st.integers(0, 47 * 3600)
amounts = st.dictionaries(
    st.sampled_from(["glass-white", "glass-mixed"]), st.integers(1, 9999).map(float)
)


@st.composite
def given_stops(draw: st.DrawFn) -> GivenStop:
    """Return a stop with some facts and without others."""
    kg_by, litres_by = draw(amounts), draw(amounts)
    return GivenStop(
        action=draw(st.sampled_from(Action)),
        place=draw(st.sampled_from(["s001", "plant", "Am Markt 3, hinten"])),
        arrival_s=draw(seconds),
        start_s=draw(seconds),
        departure_s=draw(seconds),
        containers=tuple(draw(st.lists(st.sampled_from(["s001-1", "s001-2"]), max_size=2))),
        kg=sum(kg_by.values()) if kg_by else draw(st.none() | st.just(12.5)),
        litres=sum(litres_by.values()) if litres_by else None,
        kg_by=kg_by,
        litres_by=litres_by,
        reverse=draw(st.none() | st.booleans()),
        reverse_m=draw(st.none() | st.just(90.0)),
        side=draw(st.none() | st.sampled_from(["left", "right"])),
    )


@given(st.lists(st.lists(given_stops(), min_size=1, max_size=4), min_size=1, max_size=3))
def test_what_we_write_is_read_back_the_same(tours: list[list[GivenStop]]) -> None:
    """Our own CSV, whatever is in it."""
    day = date(2026, 11, 24)
    plan = GivenPlan(
        "plan.csv",
        named(
            GivenTour(f"tour {n}", "truck-1", day, tuple(stops), crew=2, banksman=True)
            for n, stops in enumerate(tours)
        ),
    )  # fmt: skip
    read = parse_csv(write_csv(plan), "plan.csv").tours
    assert [_plain(tour) for tour in read] == [_plain(tour) for tour in plan.tours]


CELLS = [
    *("date", "vehicle", "place", "action", "arrival", "kg", "lon", "kg:glass-white"),
    *("2026-11-24", "truck-1", "s001", "collect", "08:00", "1,5", "8.5", "", ";", '"', "\r", "\0"),
]


@given(
    st.lists(st.lists(st.sampled_from(CELLS), min_size=1, max_size=6), max_size=5),
    st.sampled_from([",", ";", "\t"]),
)
def test_no_file_is_too_strange(rows: list[list[str]], delimiter: str) -> None:
    """Whatever a file holds, it is read or refused with its line; nothing else happens."""
    text = "\n".join(delimiter.join(cells) for cells in rows)
    try:
        assert parse_csv(text, "plan.csv", TUESDAY).tours
    except FileFormatError as refused:
        told = str(refused)
    else:
        told = "plan.csv:"
    assert told.startswith("plan.csv:")


@given(st.lists(st.lists(given_stops(), max_size=5), min_size=1, max_size=3), st.booleans())
def test_any_plan_gets_a_certificate(tours: list[list[GivenStop]], roads: bool) -> None:
    """However little sense its times make: each finding is a sentence in both languages."""
    plan = GivenPlan(
        "plan.csv",
        named(
            GivenTour("", vehicle, TUESDAY, tuple(stops))
            for vehicle, stops in zip(("truck-1", "truck-2", "truck-x"), tours, strict=False)
        ),
    )  # fmt: skip
    certificate = certify(plan, example(), Haversine() if roads else None)
    for language in ("en", "de"):
        for one in certificate.findings:
            assert "{" not in certificate.message(one, language)
        assert list(lines(certificate, language))[-1]
    assert "</html>" in html(certificate, "de", datetime.now(UTC), "1")


def _plain(tour: GivenTour) -> object:
    """Return a tour without the lines of its file."""
    facts = asdict(tour)
    for stop in facts["stops"]:
        stop.pop("line")
    return json.loads(json.dumps(facts, default=str))
