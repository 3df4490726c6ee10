"""The facts that a new region starts with, from `region_defaults.toml`."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from config.region import Fact, Fraction, Hours, Id, Retention, Service, Vehicle

DEPOT = "depot"
"""Id of a new region's depot."""


def _named(table: Any) -> Any:
    """Give each fact of a table the id under which it stands there."""
    return {name: {"id": name, **fact} for name, fact in table.items()}


def _at_the_depot(table: Any) -> Any:
    return {name: {"id": name, "depot": DEPOT, **fact} for name, fact in table.items()}


class FacilityDefaults(Fact):
    """What is assumed of a place to unload."""

    name: str
    unload_s: int
    hours: tuple[Hours, ...]


class Defaults(Fact):
    """Facts for any region.

    Attributes:
        osm: fractions that each tag of OpenStreetMap stands for.
        untagged: fractions of a site that nothing is known of.
        volumes_l: sizes of a service's containers.
        trucks: kinds of trucks, with the services that they can do.
    """

    zone: str
    retention: Retention
    fractions: Annotated[Mapping[Id, Fraction], BeforeValidator(_named)]
    osm: Mapping[str, tuple[Id, ...]]
    untagged: tuple[Id, ...] = Field(min_length=1)
    services: Annotated[Mapping[Id, Service], BeforeValidator(_named)]
    volumes_l: Mapping[Id, tuple[int, ...]]
    trucks: Annotated[Mapping[Id, Vehicle], BeforeValidator(_at_the_depot)]
    facility: FacilityDefaults
    holidays: Mapping[date, str]

    def service_of(self, fraction: str) -> Service:
        """Return the service that collects a fraction."""
        return next(one for one in self.services.values() if fraction in one.fractions)

    def truck_for(self, service: str) -> Vehicle:
        """Return the kind of truck that does a service."""
        return next(one for one in self.trucks.values() if service in one.services)


@cache
def load_defaults() -> Defaults:
    """Return the defaults that ship with binround."""
    text = (files("config") / "region_defaults.toml").read_text(encoding="utf-8")
    return Defaults.model_validate(tomllib.loads(text))
