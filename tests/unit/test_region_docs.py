"""`docs/region.md` tells every field that can be declared, with its default."""

import json
import re
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from config.region import (
    Compartment,
    Depot,
    Facility,
    Fact,
    Fraction,
    Hours,
    Queue,
    RegionHead,
    Retention,
    Roads,
    Service,
    Vehicle,
)
from config.region_containers import ContainerRow
from config.region_folder import LISTS, SOURCES, Holidays
from config.source import Source
from tests.conftest import ROOT

SECTIONS: dict[str, type[Fact]] = {
    "region.toml": RegionHead,
    "[roads]": Roads,
    "[retention]": Retention,
    "[[fractions]]": Fraction,
    "[[services]]": Service,
    "[[depots]]": Depot,
    "[[facilities]]": Facility,
    "[[facilities.hours]]": Hours,
    "[[facilities.queue]]": Queue,
    "[[vehicles]]": Vehicle,
    "[[vehicles.compartments]]": Compartment,
    "[holidays]": Holidays,
    "[[sources]]": Source,
    "containers": ContainerRow,
}
TEXT = (ROOT / "docs" / "region.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("title", SECTIONS)
def test_every_field_is_explained(title: str) -> None:
    """The table of each kind of fact lists its fields in order, with the defaults that hold."""
    section = TEXT.split(f"\n### {title}\n")[1].split("\n### ")[0]
    told = re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE)
    fields = SECTIONS[title].model_fields
    assert [name for name, _ in told] == list(fields)
    assert dict(told) == {name: default(field) for name, field in fields.items()}


def default(field: FieldInfo) -> str:
    """Write a field's default as the document does."""
    if field.is_required():
        return "required"
    value: Any = field.default
    if value is None:
        return "none"
    if value == "":
        return "empty"
    if isinstance(value, str):
        return f"`{value}`"
    if isinstance(value, float) and value.is_integer():
        return f"`{int(value)}`"
    if isinstance(value, tuple):
        whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in value]
        return f"`{json.dumps(whole)}`"
    if hasattr(value, "strftime"):
        return f'`"{value:%H:%M}"`'
    return f"`{json.dumps(value)}`"


def test_every_file_is_named() -> None:
    """The picture of the folder shows every file that is read."""
    picture = TEXT.split("```")[1]
    files = [*LISTS, "holidays.toml", SOURCES, "containers.geojson", "containers.csv"]
    assert [file for file in files if file not in picture] == []
