"""How devices are divided among ingesters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import SettingsError
from ingest.messages import Kind, up_topic
from ingest.shards import SHARDS, Seat, Split, plain, session_name, shard_of, topics

seats = st.integers(1, SHARDS)
names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)


@given(of=seats)
def test_every_shard_is_served_by_exactly_one(of: int) -> None:
    """Whatever their number, nothing is left out and nothing is served twice."""
    served = [shard for number in range(1, of + 1) for shard in Seat(number, of).shards]
    assert sorted(served) == list(range(SHARDS))


@given(devices=st.lists(names, unique=True))
def test_divided_by_name_every_device_is_heard_once(devices: list[str]) -> None:
    """Each device's topics are in one session, the one of its shard."""
    heard = [
        (topic, shard)
        for shard in range(SHARDS)
        for topic in topics(Split.DEVICES, "town", shard, devices)
    ]
    assert sorted(topic for topic, _ in heard) == sorted(
        f"binround/v1/town/devices/{name}/up/+" for name in devices
    )
    assert all(shard == shard_of(topic.split("/")[4]) for topic, shard in heard)


def test_only_the_first_shard_hears_what_nobody_divided() -> None:
    """A broker without our configuration is heard once, not eight times."""
    everything = "binround/v1/town/devices/+/up/+"
    assert [everything in topics(Split.BROKER, "town", shard) for shard in range(SHARDS)] == [
        True,
        *[False] * (SHARDS - 1),
    ]


@given(name=names, kind=st.sampled_from(Kind), shard=st.integers(0, SHARDS - 1))
def test_the_shard_is_taken_off_the_topic(name: str, kind: Kind, shard: int) -> None:
    """From the source on, a topic reads as the device said it, divided or not."""
    topic = up_topic("town", name, kind)
    assert plain(f"{topic}/{shard}") == plain(topic) == topic


def test_sessions_never_change_their_name() -> None:
    """Messages wait in them; the first one's is that of the time before there were several."""
    assert [session_name("town", shard) for shard in (0, 1)] == ["ingest-town", "ingest-town-1"]


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/9", "1/0", "a/b", "1/2/3", "-1/2"])
def test_a_seat_that_is_none_is_told(text: str) -> None:
    """The message shows what one looks like."""
    with pytest.raises(SettingsError, match="such as 2/3"):
        Seat.parse(text)
    assert Seat.parse("2/3") == Seat(2, 3)
