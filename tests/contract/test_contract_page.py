"""docs/contract.md is what device makers read, so it is tested against the models."""

import json
import re
from pathlib import Path

import pytest
from annotated_types import Ge, Le, MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ingest.messages import (
    ID_PATTERN,
    MAX_PAYLOAD_BYTES,
    MODELS,
    Ack,
    EventKind,
    Kind,
    Message,
    TourDown,
    TourStop,
    down_topic,
    parse_up,
    up_topic,
)
from ingest.steps import NEEDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "contract.md").read_text()
UP = [(f"### `up/{kind}`", model) for kind, model in MODELS.items()]
DOWN: list[tuple[str, type[BaseModel]]] = [
    ("### `down/ack`", Ack),
    ("### `down/tour`", TourDown),
    ("Each of the `stops`:", TourStop),
]


def section(heading: str) -> str:
    """Return what stands under a heading, up to the next one."""
    start = PAGE.index(f"\n{heading}\n") + len(heading) + 2
    return re.split(r"\n##+ ", PAGE[start:])[0]


def row(heading: str, field: str) -> list[str]:
    """Return the cells of a field's row in a section's table."""
    found = re.search(rf"^\| `{field}` \|(.*)\|$", section(heading), re.MULTILINE)
    assert found, f"{heading} does not explain `{field}`"
    return [cell.strip() for cell in found[1].split("|")]


def limits(field: FieldInfo) -> set[str]:
    """Return the numbers that bound a field."""
    bounds = [*field.metadata]
    for part in getattr(field.annotation, "__args__", ()):  # of an optional field
        bounds += getattr(part, "__metadata__", ())
    bounds += [item for each in bounds if isinstance(each, FieldInfo) for item in each.metadata]
    values = [
        each.ge if isinstance(each, Ge) else each.le if isinstance(each, Le) else each.max_length
        for each in bounds
        if isinstance(each, Ge | Le | MaxLen)
    ]
    return {str(value) for value in values}


@pytest.mark.parametrize(("heading", "model"), UP)
def test_every_field_that_a_device_sends_is_explained(heading: str, model: type[Message]) -> None:
    """With whether it is required, and with its bounds."""
    for name, field in model.model_fields.items():
        where = "## Up" if name in Message.model_fields else heading
        required, bounds, meaning = row(where, name)
        assert required == ("yes" if field.is_required() else "no"), name
        assert meaning
        stated = set(re.findall(r"-?\d+(?:\^\d+)?", bounds))
        assert limits(field) <= stated, f"{name}: {limits(field)} is not in {bounds!r}"


@pytest.mark.parametrize(("heading", "model"), DOWN)
def test_every_field_that_a_device_hears_is_explained(heading: str, model: type[BaseModel]) -> None:
    """Tours, their stops and acknowledgements."""
    for name in model.model_fields:
        assert row(heading, name)[-1], name


def test_every_event_is_explained_with_what_it_must_carry() -> None:
    """The table says what the ingester demands, no more and no less."""
    for kind in EventKind:
        demanded, meaning = row("### `up/event`", kind)
        assert set(re.findall(r"`(\w+)`", demanded)) == set(NEEDS.get(kind, ()))
        assert meaning


@pytest.mark.parametrize(("heading", "model"), [*UP, *DOWN[:2]])
def test_every_example_fits_its_model(heading: str, model: type[BaseModel]) -> None:
    """Who copies an example gets a message that is taken, with all fields known."""
    examples = re.findall(r"```json\n(.*?)\n```", section(heading), re.DOTALL)
    assert examples
    for example in examples:
        model.model_validate_json(example)
        assert set(json.loads(example)) <= set(model.model_fields)


def test_topics_and_limits_are_as_written() -> None:
    """One scheme, both ways."""
    kinds = "|".join(Kind)
    assert f"binround/v1/{{region}}/devices/{{device}}/up/{{{kinds}}}" in PAGE
    assert "binround/v1/{region}/devices/{device}/down/{tour|ack}" in PAGE
    assert ID_PATTERN in PAGE
    assert f"{MAX_PAYLOAD_BYTES:,} bytes" in " ".join(PAGE.split())
    for kind in Kind:
        assert parse_up(up_topic("town", "truck-1", kind)) == ("town", "truck-1", kind)
    assert down_topic("town", "truck-1", "ack") == "binround/v1/town/devices/truck-1/down/ack"


@pytest.mark.parametrize(
    "topic",
    [
        "binround/v1/town/devices/truck-1/up/level\n",
        "binround/v1/town/devices/truck-1/up/mood",
        "binround/v1/town/devices/truck-1/down/tour",
        "binround/v1/Town/devices/truck-1/up/level",
        "binround/v1/town/devices/a/b/up/level",
        f"binround/v1/town/devices/{'x' * 33}/up/level",
        "binround/v2/town/devices/truck-1/up/level",
        "",
    ],
)
def test_other_topics_are_not_of_this_contract(topic: str) -> None:
    """Ids and kinds are exactly as written."""
    assert parse_up(topic) is None
