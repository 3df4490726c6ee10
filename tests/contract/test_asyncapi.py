"""docs/asyncapi.yaml is what device makers generate code from, so it has to judge as we do."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from jsonschema.validators import validator_for
from pydantic import BaseModel

from cli.documents import asyncapi_page
from ingest.asyncapi import DOWN, EXAMPLES
from ingest.messages import MODELS, Ack, Kind, TourDown, TourStop, down_topic, parse_up, up_topic
from ingest.receipts import ranges
from tests.conftest import ROOT
from tests.contract.test_contract_page import section
from tests.fixtures.served import NOON
from tests.unit.test_ingest_steps import send

FILE = ROOT / "docs" / "asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
GONE = object()


def validator(message: str) -> Draft7Validator:
    """Return what the document demands of a message."""
    payload = DOCUMENT["components"]["messages"][message]["payload"]
    return Draft7Validator({"allOf": [payload], "components": DOCUMENT["components"]})


def taken(kind: Kind, payload: object) -> bool:
    """Whether the ingester takes a message that comes on the right topic."""
    return send("s-1" if kind is Kind.LEVEL else "truck-1", kind, payload).refusal is None


def values(rule: dict[str, Any]) -> Iterator[object]:
    """Yield values at and beyond each bound of a field, of other types, and none at all."""
    yield from (GONE, None, True, [], {"a": 1})
    types = rule.get("type", [])
    if "integer" in types or "number" in types:
        yield from ("12", -1, -90.5, -200)
        for bound in ("minimum", "maximum", "exclusiveMaximum"):
            if bound in rule:
                yield from (rule[bound] - 1, rule[bound], rule[bound] + 1)
    elif "format" not in rule:
        yield from ("", "a", "A b", "a\0", "ä", 12)
        yield from ("x" * (rule.get("maxLength", 32) + more) for more in (0, 1))


def variants(kind: Kind) -> Iterator[dict[str, Any]]:
    """Yield the message's example with one field changed, for events once for each kind."""
    name = MODELS[kind].__name__
    fields: dict[str, Any] = DOCUMENT["components"]["schemas"][name]["properties"]
    rules = DOCUMENT["components"]["schemas"].get("EventKind", {}).get("enum", [])
    bases = [{**EXAMPLES[kind], "kind": each} for each in rules] if kind is Kind.EVENT else []
    for base in [EXAMPLES[kind], *bases]:
        for field, rule in fields.items():
            for value in values(rule):
                rest = {key: kept for key, kept in base.items() if key != field}
                yield rest if value is GONE else {**rest, field: value}


def test_the_committed_document_is_the_codes() -> None:
    """Device makers read the file."""
    assert FILE.read_text("utf-8") == asyncapi_page(), "write it anew: make docs"


@pytest.mark.parametrize("kind", Kind)
def test_the_document_and_the_ingester_judge_alike(kind: Kind) -> None:
    """What the document allows is taken, and what it forbids becomes a dead letter."""
    demanded = validator(kind)
    verdicts = set()
    for payload in variants(kind):
        allowed = demanded.is_valid(payload)
        assert allowed is taken(kind, payload), payload
        verdicts.add(allowed)
    assert verdicts == {True, False}


@pytest.mark.parametrize("message", EXAMPLES)
def test_every_example_is_good(message: str) -> None:
    """It fits the document and the model, and is the one that the contract's page shows."""
    examples = DOCUMENT["components"]["messages"][message]["examples"]
    way = "down" if message in DOWN else "up"
    shown = section(f"### `{way}/{message}`")
    for example in examples:
        payload = example["payload"]
        validator(message).validate(payload)
        assert json.dumps(payload, ensure_ascii=False) in shown
        if way == "up":
            assert taken(Kind(message), payload)
        else:
            DOWN[message].model_validate_json(json.dumps(payload))  # type: ignore[index]


STOP = TourStop(
    number=1, kind="break", id="r", name="", lon=None, lat=None, arrival=NOON, service_s=2700
)
HEARD = [
    Ack(boot=0, ranges=tuple(ranges([1, 2, 3, 7]))),
    Ack(boot=3, ranges=()),
    *(
        TourDown(
            tour="t", revision=1, plan="p", vehicle="t-1", day="2026-06-01", start=NOON, end=NOON,
            stops=stops,
        )
        for stops in ((), (STOP,))
    ),
]  # fmt: skip


@pytest.mark.parametrize("heard", HEARD, ids=lambda heard: type(heard).__name__)
def test_what_we_send_is_what_the_document_says(heard: BaseModel) -> None:
    """A unit whose code was generated from the document can read it."""
    message = next(name for name, model in DOWN.items() if isinstance(heard, model))
    validator(message).validate(json.loads(heard.model_dump_json()))


def test_what_we_send_is_told_in_full() -> None:
    """All fields are always there, and a range is a pair of numbers."""
    schemas = DOCUMENT["components"]["schemas"]
    for model in (Ack, TourDown, TourStop):
        assert set(schemas[model.__name__]["required"]) == set(model.model_fields)
    for pair in ([1], [1, 2, 3], ["1", "2"], [1, None]):
        assert not validator("ack").is_valid({"boot": 0, "ranges": [pair]})


def test_every_topic_is_a_channel_and_has_one_operation() -> None:
    """Up is sent and down is received; no message is without a way."""
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    region, device = "{region}", "{device}"
    assert addresses == {
        *(up_topic(region, device, kind) for kind in Kind),
        *(down_topic(region, device, name) for name in DOWN),
    }
    for operation in DOCUMENT["operations"].values():
        name = operation["channel"]["$ref"].rpartition("/")[2]
        address = DOCUMENT["channels"][name]["address"].format(region="r", device="d")
        assert operation["action"] == ("send" if parse_up(address) else "receive")
        assert operation["bindings"]["mqtt"]["qos"] == (0 if name == "ack" else 1)
    assert len(DOCUMENT["operations"]) == len(addresses)


def test_every_field_is_explained() -> None:
    """A quantity names its unit, and no field is left to be guessed."""
    schemas: dict[str, Any] = DOCUMENT["components"]["schemas"]
    for name, schema in schemas.items():
        assert schema["description"], name
        for field, rule in schema.get("properties", {}).items():
            assert rule.get("description") or "$ref" in rule, f"{name}.{field}"


def test_every_reference_leads_somewhere() -> None:
    """Tools resolve them before anything else."""

    def references(part: Any) -> Iterator[str]:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        for each in inner:
            yield from references(each)
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            yield part["$ref"]

    found = set(references(DOCUMENT))
    assert len(found) > 20
    for reference in found:
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_the_document_is_asyncapi() -> None:
    """The publisher's own schema says so; it is not ours to copy, so a file has to be named."""
    given = os.environ.get("BINROUND_TEST_ASYNCAPI_SCHEMA")
    if not given:
        pytest.skip("BINROUND_TEST_ASYNCAPI_SCHEMA names no schemas/3.0.0.json of @asyncapi/specs")
    schema = json.loads(Path(given).read_text("utf-8"))
    validator_for(schema)(schema).validate(DOCUMENT)
