"""Other makers' frames through the running ingester: a real broker, real frames, stated values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from config.source import Family, Source
from ingest.codecs.calibration import Calibration
from storage import calibrations, devices
from tests.fixtures.broker import SERVER
from tests.fixtures.elsewhere import OtherBroker
from tests.fixtures.makers import uplink
from tests.fixtures.served import NOON, Served
from tests.integration.test_metrics import with_metrics
from tests.integration.test_other_brokers import eventually
from tests.unit.test_codecs_vendors import FILES, load

pytestmark = pytest.mark.db


@pytest.fixture
def network(served: Served, tmp_path: Path) -> Iterator[OtherBroker]:
    """A network server's broker, which the region names `lora`."""
    topics = ("v3/app@tenant/devices/+/up",)
    with OtherBroker(tmp_path / "network", "reader", topics) as broker:
        source = Source(
            id="lora",
            family=Family.THINGS_STACK,
            url=broker.url,
            topics=topics,
            user=broker.user,
        )
        served.sources = (source,)
        served.passwords = {"lora": SecretStr(broker.password)}
        yield broker


def frames(outside_data: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return (model, frame with its stated values) of all captured frames."""
    return [
        (models[0], vector)
        for file, models in FILES.items()
        for vector in load(outside_data, file)["vectors"]
    ]


def attach(served: Served, number: int, model: str) -> None:
    """Put a model's sensor at a container, behind the network server."""
    place = served.region.containers[number]
    with served.database.connect() as connection:
        devices.add(
            connection, served.region.id, place.sensor or "", devices.Kind.SENSOR, at=NOON,
            server_user=SERVER, container=place.id,
            behind=devices.Behind("lora", f"bin-{number}", model),
        )  # fmt: skip
        whole = Calibration(empty_mm=5000)
        calibrations.give(connection, served.region.id, place.sensor or "", whole, since=NOON)


def test_all_captured_frames_go_through_the_running_ingester(
    served: Served, network: OtherBroker, outside_data: Path
) -> None:
    """Over MQTT into the database: each value as stated, what is refused by its reason."""
    captured = frames(outside_data)
    for number, (model, _) in enumerate(captured):
        attach(served, number, model)
    read = with_metrics(served)
    with served.ingester():
        eventually(lambda: read()["binround_ingest_connected lora"] == 1)
        for number, (_, vector) in enumerate(captured):
            network.publish(*uplink(f"bin-{number}", vector["hex"], vector["f_port"] or 85))
        eventually(lambda: len(kept(served)) == len(captured))
    arrived = kept(served)
    for number, (_, vector) in enumerate(captured):
        if "expect_error" in vector:
            assert vector["expect_error"] in arrived[number]
        else:
            stated = vector["normalized"]
            names = ("distance_mm", "battery_v", "battery_pct", "tilt")
            assert arrived[number] == tuple(pytest.approx(stated.get(name)) for name in names)


def kept(served: Served) -> dict[int, Any]:
    """Return by the sensor's number what it said, or why that could not be used."""
    with served.database.connect() as connection:
        said = connection.execute(
            "SELECT d.alias, l.distance_mm, coalesce(l.battery_v, s.battery_v), s.battery_pct,"
            " s.tilt"
            " FROM device d JOIN frame f ON f.device_id = d.id"
            " LEFT JOIN level l ON l.device_id = d.id LEFT JOIN status s ON s.device_id = d.id"
        ).fetchall()
        letters = connection.execute("SELECT topic, reason FROM dead_letter").fetchall()
    found: dict[int, Any] = {
        int(alias[4:]): values for alias, *rest in said if (values := tuple(rest))
    }
    return found | {int(topic.split("-")[-1][:-3]): reason for topic, reason in letters}
