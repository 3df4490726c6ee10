"""What Prometheus is told: true figures, no device, no place, and only on this machine."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from config.clock import FixedClock
from config.errors import SettingsError
from ingest.counters import MOST_KINDS, Counters
from ingest.messages import Kind, up_topic
from storage import deadletters, queue
from storage.rows import Batch, DeadLetterRow
from tests.conftest import ROOT
from tests.fixtures.api import MORNING, PlannedDay
from tests.fixtures.metrics import figures, read_metrics
from tests.fixtures.ports import free_port
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.db
PLACE = re.compile(r"\d+\.\d{4}")


def with_metrics(served: Served) -> Callable[[], dict[str, float]]:
    """Let the ingester have a port for its metrics; returns how to read them."""
    port = free_port()
    served.settings = served.settings.model_copy(update={"ingest_metrics_port": port})

    def read() -> dict[str, float]:
        return read_metrics(port)

    return read


def test_the_ingester_tells_what_came_and_what_became_of_it(served: Served) -> None:
    """Rows, repeats, dead letters by reason and what the broker refused are counted apart."""
    read = with_metrics(served)
    truck = served.town.client("truck-1")
    topic = up_topic("example", "truck-1", Kind.STATUS)
    message = json.dumps({"time": NOON.isoformat(), "seq": 1})
    with served.ingester():
        for payload in (message, message, "no json", "no json"):
            truck.publish(topic, payload)
        truck.publish(up_topic("example", "truck-2", Kind.STATUS), message)
        eventually(lambda: read()["binround_ingest_received_total"] == 4)
        eventually(lambda: read().get("binround_ingest_dead_letters_total status") == 2)
        told = read()
    assert told["binround_ingest_stored_total"] == 1
    assert told["binround_ingest_duplicates_total"] == 2  # a row and a dead letter
    assert told["binround_ingest_connected"] == 1
    assert told["binround_ingest_queue_messages"] == 0
    assert told["binround_ingest_broker_refusals_total publish"] == 1
    assert not any(PLACE.search(name) or "truck" in name for name in told)


def test_a_backlog_is_seen_while_the_database_cannot_commit(served: Served) -> None:
    """The age of the oldest message that is not stored grows, and is 0 again afterwards."""
    read = with_metrics(served)
    assert isinstance(served.clock, FixedClock)
    truck = served.town.client("truck-1")
    message = json.dumps({"time": NOON.isoformat(), "seq": 1, "lon": 8.5, "lat": 52.0})
    with served.ingester():
        with served.database.connect() as blocker:
            blocker.execute("LOCK TABLE position IN ACCESS EXCLUSIVE MODE")
            truck.publish(up_topic("example", "truck-1", Kind.POSITION), message)
            eventually(lambda: read()["binround_ingest_received_total"] == 1)
            served.clock.instant += timedelta(seconds=90)
            assert read()["binround_ingest_lag_seconds"] == 90
            blocker.rollback()
        eventually(lambda: read()["binround_ingest_stored_total"] == 1)
        eventually(lambda: read()["binround_ingest_lag_seconds"] == 0)


def test_no_log_says_where_somebody_was(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at DEBUG, not for good fixes, bad ones, forged ones or repeated ones."""
    caplog.set_level("DEBUG")
    truck = served.town.client("truck-1")
    fix = {"time": NOON.isoformat(), "seq": 1, "lon": 8.512345, "lat": 52.012345}
    bad = [{**fix, "lat": 152.012345}, {**fix, "seq": "8.512345"}, {**fix, "speed_mps": 1e300}]
    with served.ingester() as counters:
        for message in (fix, fix, *bad):
            truck.publish(up_topic("example", "truck-1", Kind.POSITION), json.dumps(message))
        truck.publish(up_topic("example", "truck-2", Kind.POSITION), json.dumps(fix))
        eventually(lambda: counters.received == 5)
    assert counters.dead_letters == len(bad)
    assert "ready broker=" in caplog.text
    assert not re.search(r"8\.5123|52\.0123", caplog.text)
    with served.database.connect() as connection:
        reasons = " ".join(letter.reason for letter in deadletters.newest(connection, 10))
    assert not re.search(r"8\.5123|52\.0123", reasons)


@pytest.mark.slow
def test_a_service_logs_json_lines_when_told_to(served: Served) -> None:
    """Every line on stderr is an object, from the first to the last."""
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", "ingest"],
        env={**served.environment, "BINROUND_LOG_FORMAT": "json"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdout
        assert service.stdout.readline().startswith("READY")
        service.terminate()
        _, said = service.communicate(timeout=20)
    lines = [json.loads(line) for line in said.splitlines()]
    assert lines[-1]["message"].startswith("stopped received=0")
    assert {tuple(line) for line in lines} == {("time", "level", "logger", "message")}


def test_a_taken_port_is_told_in_one_line(served: Served) -> None:
    """The message names the port and the setting."""
    with_metrics(served)
    port = served.settings.ingest_metrics_port
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(SettingsError, match=rf"^port {port} .*BINROUND_INGEST_METRICS_PORT$"),
        served.ingester(),
    ):
        time.sleep(0.5)


def test_the_api_tells_requests_jobs_and_silence(
    planned_day: PlannedDay, api: httpx.Client
) -> None:
    """Requests stand under their route, not under what was asked for."""
    planned_day.store(Batch(dead_letters=[DeadLetterRow(MORNING, "t", b"", "topic: unknown")]))
    planned_day.drive(8.512345, 52.012345, second=0)
    queue.defer(planned_day.database, "binround.nothing")
    api.get("/v1/vehicles")
    api.get("/v1/tours/nobody-knows-it")
    api.get("/nothing/here")
    api.request("BREW", "/v1/vehicles")
    answer = api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = figures(answer.text)
    assert told["binround_http_requests_total GET /v1/vehicles 200"] == 1
    assert told["binround_http_requests_total GET /v1/tours/{tour} 404"] == 1
    assert told["binround_http_request_seconds_count /v1/vehicles"] >= 1
    assert told["binround_jobs todo"] >= 1
    assert told["binround_dead_letters topic"] == 1
    assert told["binround_silence_seconds position"] == 0
    assert "nobody-knows-it" not in answer.text
    assert "nothing/here" not in answer.text
    assert "BREW" not in answer.text
    assert "8.51" not in answer.text


def test_reasons_are_few_whatever_is_sent() -> None:
    """A sender cannot make up series without end."""
    counters = Counters()
    counters.refuse(f"{chr(97 + n // 26)}{chr(97 + n % 26)}: x" for n in range(500))
    counters.refuse(["no colon", "Not A Word: x", ": x", "x" * 99 + ": y"])
    assert len(counters.reasons) <= MOST_KINDS + 1
    assert sum(counters.reasons.values()) == 504


def test_a_field_that_is_wrong_is_a_reason_of_its_own() -> None:
    """Whoever looks at the counts sees which field devices get wrong."""
    counters = Counters()
    counters.refuse(["speed_mps: Input should be a number", "stops.0.id: Field required"])
    assert counters.reasons == {"speed_mps": 1, "stops.0.id": 1}
