"""Brokers that a region names: what can be declared, and every mistake with its place."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RegionError
from config.mqtt_filter import filter_problem, lets_through_only
from config.region_folder import find_folder, load_region
from config.region_write import write_region
from config.settings import source_passwords
from config.source import SHAPES, Family
from ingest.codecs import codec_for
from ingest.codecs.envelopes import envelope_for

STORAGE = "https://lns.example/api/v3/as/applications/bins/packages/storage/uplink_message"
GOOD = f"""\
[[sources]]
id = "city-lns"
family = "things-stack-v3"
url = "mqtts://lns.example:8883"
topics = ["v3/bins@city/devices/+/up"]
user = "bins@city"
storage = "{STORAGE}"
ca = "authority.pem"
certificate = "me.pem"
key = "me.key"

[[sources]]
id = "partner"
family = "contract"
url = "mqtt://10.0.0.7"
topics = ["binround/v1/example/devices/+/up/level", "binround/v1/example/devices/+/up/status"]
client_id = "us"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example region with two sources."""
    folder = Path(shutil.copytree(find_folder("example"), tmp_path / "region"))
    for name in ("authority.pem", "me.pem", "me.key"):
        (folder / name).touch(mode=0o600)
    (folder / "sources.toml").write_text(GOOD)
    return folder


def test_sources_are_declared_in_the_region(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, topics and files come from the folder; the password from the environment only."""
    monkeypatch.setenv("BINROUND_SOURCE_CITY_LNS_PASSWORD", "NNSXS.KEY")
    region = load_region(str(folder))
    lns, partner = region.sources
    assert lns.origin == ("city-lns", Family.THINGS_STACK)
    assert lns.tls.key == folder / "me.key"
    assert partner.tls.ca is None
    passwords = source_passwords(region.sources)
    assert {name: len(secret) for name, secret in passwords.items()} == {
        "city-lns": 9,
        "partner": 0,
    }
    assert "NNSXS" not in f"{region!r} {passwords!r}"


def test_a_region_without_sources_has_none() -> None:
    """The file may be left out."""
    assert load_region("example").sources == ()


def test_sources_survive_being_written(folder: Path, tmp_path: Path) -> None:
    """Certificates and keys go along; a key stays as private as it was."""
    region = load_region(str(folder))
    out = tmp_path / "out"
    out.mkdir()
    write_region(region, out)
    again = load_region(str(out))
    assert again.sources[0].key == str(out / "me.key")
    assert (out / "me.key").stat().st_mode & 0o077 == 0
    write_region(again, out)
    assert load_region(str(out)) == again


MISTAKES = [
    ('id = "city-lns"', 'id = "City LNS"', "2: id: 'City LNS': use a-z"),
    ('id = "partner"', 'id = "city-lns"', "13: id: 'city-lns' is already used in line 2"),
    ('"things-stack-v3"', '"things-stack-v2"', "3: family: 'things-stack-v2': input should be"),
    ("mqtts://lns.example:8883", "https://lns.example", "4: url: 'https://lns.example' is not m"),
    ("lns.example:8883", "lns.example:70000", "4: url: 'mqtts://lns.example:70000' is not mqtt"),
    ("lns.example:8883", "a..b", "4: url: 'mqtts://a..b' is not mqtt"),
    ("lns.example:8883", "me:secret@lns.example", "4: url: an address holds no user"),
    ('["v3/bins@city/devices/+/up"]', "[]", "5: topics: []: tuple should have at least 1"),
    ("devices/+/up", "devices/a+/up", "5: topics[0]: 'v3/bins@city/devices/a+/up': + stands for"),
    ("devices/+/up", "#/up", "5: topics[0]: 'v3/bins@city/#/up': # stands for all levels"),
    ("devices/+/up", "#", "5: topics[0]: 'v3/bins@city/#' brings more than messages of things-sta"),
    ("devices/+/up", "devices/+/join", "5: topics[0]: 'v3/bins@city/devices/+/join' brings more"),
    ('user = "bins', 'user = "other', "7: storage: is of application 'bins', but user is 'other@c"),
    ("/api/v3/as", "/api/v2/as", "7: storage: its path is not /api/v3/as/applications"),
    ("https://lns", "http://lns", f"7: storage: '{STORAGE.replace('https', 'http')}': the key"),
    ('ca = "authority', 'ca = "nobody', "8: ca: no file 'nobody.pem' in the folder"),
    ('key = "me.key"\n', "", "9: certificate: goes with a key, which is missing"),
    ('client_id = "us"', f'storage = "{STORAGE}"', "17: storage: only things-stack-v3 has one"),
    ('client_id = "us"', 'ca = "me.pem"', "17: ca: is for TLS; use an mqtts:// address"),
    ('client_id = "us"', 'password = "x"', "17: password: unknown field"),
    ('client_id = "us"', 'storage_days = 0', "17: storage_days: 0: input should be greater"),
    ("[[sources]]\nid", "[[source]]\nid", "1: source: unknown field; did you mean sources?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES)
def test_a_mistake_is_named(folder: Path, old: str, new: str, expected: str) -> None:
    """With the line of the field, and what to write instead."""
    assert old in GOOD
    (folder / "sources.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(RegionError) as caught:
        load_region(str(folder))
    assert len(caught.value.mistakes) == 1, caught.value.mistakes
    assert caught.value.mistakes[0].startswith(f"sources.toml:{expected}")


def test_two_sessions_of_one_name_are_refused(folder: Path) -> None:
    """At one broker they would throw each other off for ever."""
    twin = GOOD[GOOD.rindex("[[sources]]") :]
    (folder / "sources.toml").write_text(GOOD + twin.replace('"partner"', '"twin"'))
    with pytest.raises(RegionError, match=r"sources.toml:23: client_id: 'partner' has it"):
        load_region(str(folder))


TOPICS = {
    Family.CONTRACT: "binround/v1/town/devices/s-1/up/level",
    Family.THINGS_STACK: "v3/bins@city/devices/s-1/up",
    Family.CHIRPSTACK: "application/17c82e96/device/24e124713c141234/event/up",
    Family.TRACCAR: "city/positions",
    Family.OWNTRACKS: "owntracks/anna/phone",
}


@pytest.mark.parametrize("family", TOPICS)
def test_what_a_family_lets_through_can_be_opened(family: Family) -> None:
    """A topic within a family's shape is one that its envelope, or our contract, reads."""
    topic = TOPICS[family]
    assert lets_through_only(topic, SHAPES[family])
    opener = codec_for(topic) or envelope_for(topic)
    assert opener is not None
    assert opener.name == family
    strangers = [other for other in TOPICS if other != family]
    assert not any(lets_through_only(TOPICS[other], SHAPES[family]) for other in strangers)


LEVELS = st.lists(st.sampled_from(["a", "b", "+", "#"]), min_size=1, max_size=4).map("/".join)
NAMES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map("/".join)


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a broker would hand a topic to a filter, as paho judges it."""
    from paho.mqtt.client import topic_matches_sub

    return topic_matches_sub(topic_filter, topic)


@given(LEVELS, LEVELS, NAMES)
def test_a_filter_within_a_shape_lets_nothing_else_through(
    topic_filter: str, shape: str, topic: str
) -> None:
    """No topic comes through a filter that is within a shape without matching the shape."""
    if filter_problem(topic_filter) or filter_problem(shape) or "#" in shape:
        return
    if lets_through_only(topic_filter, (shape,)) and matches(topic_filter, topic):
        assert matches(shape, topic)
