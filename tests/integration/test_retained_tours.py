"""Tours of days long past are taken off the broker, whoever they were for."""

from datetime import date, timedelta

import pytest

from ingest.messages import down_topic
from ingest.retained import RetainedTour, clear_older, retained_tours
from tests.fixtures.broker import Town
from tests.fixtures.served import NOON, Served

TODAY = NOON.date()


def retain(town: Town, vehicle: str, payload: str) -> str:
    """Let the server retain something as a vehicle's tour; returns the topic."""
    topic = down_topic(town.region, vehicle, "tour")
    town.client("server").publish(topic, payload, retain=True)
    return topic


def tour_of(day: date) -> str:
    """Return as much of a tour as says of which day it is."""
    return f'{{"day": "{day}"}}'


def test_old_tours_are_cleared_and_new_ones_stay(broker_town: Town) -> None:
    """By the day they are about; one that cannot be read has no day, and goes too."""
    login = broker_town.server_login("test")
    assert retained_tours(login, broker_town.region) == []
    new = retain(broker_town, "truck-1", tour_of(TODAY))
    retain(broker_town, "truck-2", tour_of(TODAY - timedelta(days=1)))
    retain(broker_town, "gone-from-the-region", tour_of(date(2020, 1, 1)))
    retain(broker_town, "truck-3", "no tour")
    retain(broker_town, "truck-4", '{"day": [1]}')
    listening = broker_town.client("truck-2")
    assert listening.subscribe(down_topic(broker_town.region, "truck-2", "tour"))
    assert len(listening.wait(1)) == 1
    assert clear_older(login, broker_town.region, TODAY) == 4
    assert [message.payload for message in listening.wait(2)][1:] == [b""]
    assert retained_tours(login, broker_town.region) == [RetainedTour(new, TODAY)]
    assert clear_older(login, broker_town.region, TODAY) == 0


@pytest.mark.db
def test_the_ingester_clears_what_is_older_than_declared(served: Served) -> None:
    """Fourteen days by default: a tour of the day before that goes, one of that day stays."""
    town = served.town
    kept = retain(town, "truck-1", tour_of(TODAY - timedelta(days=14)))
    old = retain(town, "truck-2", tour_of(TODAY - timedelta(days=15)))
    truck = town.client("truck-2")
    assert truck.subscribe(old)
    with served.ingester():
        assert [message.payload for message in truck.wait(2)][1:] == [b""]
        left = retained_tours(town.server_login("test"), town.region)
    assert [tour.topic for tour in left] == [kept]
