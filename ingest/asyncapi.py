"""The MQTT contract as an AsyncAPI 3 document, from the models that the ingester decodes with.

It describes a device: what it sends, what it receives. The schemas are JSON Schema draft 7,
which AsyncAPI 3 is built on, and say also what no field alone can tell (`ingest.steps`).
"""

from collections.abc import Iterator, Mapping
from inspect import getdoc
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from ingest.messages import (
    ID_PATTERN,
    MAX_PAYLOAD_BYTES,
    MODELS,
    Ack,
    Event,
    Kind,
    TourDown,
    down_topic,
    up_topic,
)
from ingest.steps import NEEDS

Document = dict[str, Any]
DOWN: Mapping[Literal["ack", "tour"], type[BaseModel]] = {"ack": Ack, "tour": TourDown}

# What each message looks like, by its channel; docs/contract.md shows the same.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "level": {
        "time": "2026-06-01T10:00:00Z",
        "seq": 4711,
        "fill": 0.62,
        "distance_mm": 640,
        "battery_v": 3.58,
    },
    "position": {
        "time": "2026-06-01T10:00:00.250Z",
        "seq": 80125,
        "boot": 3,
        "lon": 8.5325,
        "lat": 52.0211,
        "speed_mps": 11.4,
        "heading_deg": 271,
    },
    "event": {
        "time": "2026-06-01T10:02:11Z",
        "seq": 80257,
        "boot": 3,
        "kind": "lift",
        "tour": "p-2026-06-01-glass-truck-1",
        "stop": 12,
        "container": "c0117",
        "lon": 8.5331,
        "lat": 52.0209,
    },
    "status": {
        "time": "2026-06-01T05:31:00Z",
        "seq": 80000,
        "boot": 3,
        "battery_v": 26.9,
        "firmware": "1.8.2",
    },
    "tour-ack": {
        "time": "2026-06-01T05:32:10Z",
        "seq": 80003,
        "boot": 3,
        "tour": "p-2026-06-01-glass-truck-1",
        "revision": 2,
        "accepted": True,
    },
    "ack": {"boot": 3, "ranges": [[80125, 80256], [80258, 80301]]},
    "tour": {
        "tour": "p-2026-06-01-glass-truck-1",
        "revision": 2,
        "plan": "p-2026-06-01-glass",
        "vehicle": "truck-1",
        "day": "2026-06-01",
        "start": "2026-06-01T05:35:00Z",
        "end": "2026-06-01T12:10:00Z",
        "stops": [
            {
                "number": 1,
                "kind": "visit",
                "id": "s0042",
                "name": "Am Markt",
                "lon": 8.5331,
                "lat": 52.0209,
                "arrival": "2026-06-01T05:52:00Z",
                "service_s": 240,
                "containers": ["c0117", "c0118"],
            }
        ],
        "geometry": "",
        "attribution": "© OpenStreetMap contributors",
    },
}


def document() -> Document:
    """Return the AsyncAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "binround: the contract with devices",
            "version": "1",
            "description": (
                "What sensors, gateways and truck units say and hear over MQTT 3.1.1, seen from "
                "the device: it sends what is `up` and receives what is `down`. Units: seconds, "
                "metres, kilograms, litres; fill as a share of the container's volume; WGS84 "
                "longitude and latitude; instants in RFC 3339 with a zone. Integers are written "
                f"without a fraction. A payload has at most {MAX_PAYLOAD_BYTES:,} bytes. Unknown "
                "fields are ignored. The words around it are in docs/contract.md."
            ),
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": "application/json",
        "servers": {
            "tls": _server("mqtts", "8883", "The broker, as devices reach it from outside."),
            "inside": _server("mqtt", "1883", "The same on a network that is safe in itself."),
        },
        "channels": dict(_channels()),
        "operations": dict(_operations()),
        "components": {
            "messages": dict(_messages()),
            "schemas": _schemas(),
            "parameters": _PARAMETERS,
            "securitySchemes": {
                "login": {
                    "type": "userPassword",
                    "description": (
                        "The user is the device's name. The password and the client id are "
                        "secrets, shown once when the device is added. The broker lets a device "
                        "publish on its own topics and hear its own, nothing else."
                    ),
                }
            },
        },
    }


_PARAMETERS = {
    "region": {"description": f"The operator's area, {ID_PATTERN}", "examples": ["bielefeld"]},
    "device": {
        "description": (
            f"The device's name, {ID_PATTERN}. The topic is the identity: nothing in a payload "
            "says who sends it."
        ),
        "examples": ["truck-1"],
    },
}


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "/".join(["#", *path])}


def _server(protocol: str, port: str, description: str) -> Document:
    return {
        "host": "{host}:{port}",
        "protocol": protocol,
        "protocolVersion": "3.1.1",
        "description": description,
        "variables": {
            "host": {"description": "Where the operator's broker is.", "default": "localhost"},
            "port": {"description": "Its port.", "default": port},
        },
        "security": [_ref("components", "securitySchemes", "login")],
        # A truck unit keeps its session, so that it gets what came while it was away.
        "bindings": {"mqtt": {"cleanSession": False, "bindingVersion": "0.2.0"}},
    }


def _told() -> Iterator[tuple[str, str, type[BaseModel]]]:
    """Yield name, address and model of each message, up and down."""
    region, device = "{region}", "{device}"
    for kind, model in MODELS.items():
        yield kind, up_topic(region, device, kind), model
    for name, heard in DOWN.items():
        yield name, down_topic(region, device, name), heard


def _channels() -> Iterator[tuple[str, Document]]:
    for name, address, model in _told():
        yield (
            str(name),
            {
                "address": address,
                "description": _first_line(model),
                "messages": {str(name): _ref("components", "messages", name)},
                "parameters": {
                    each: _ref("components", "parameters", each) for each in _PARAMETERS
                },
            },
        )


def _operations() -> Iterator[tuple[str, Document]]:
    for kind, model in MODELS.items():
        yield f"send-{kind}", _operation("send", kind, _first_line(model), retain=False)
    acks = (
        "A unit keeps a record until an acknowledgement covers its (boot, seq), and sends it "
        "again until then. Sensors and gateways get none."
    )
    yield "receive-ack", _operation("receive", "ack", acks, retain=False, qos=0)
    tours = "Retained: a unit gets its tour whenever it connects, and answers each revision once."
    receive = _operation("receive", "tour", tours, retain=True)
    yield "receive-tour", {**receive, "reply": {"channel": _ref("channels", Kind.TOUR_ACK)}}


def _operation(
    action: Literal["send", "receive"], channel: str, summary: str, *, retain: bool, qos: int = 1
) -> Document:
    return {
        "action": action,
        "channel": _ref("channels", channel),
        "summary": summary,
        "messages": [_ref("channels", channel, "messages", channel)],
        "bindings": {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": "0.2.0"}},
    }


def _messages() -> Iterator[tuple[str, Document]]:
    for name, _, model in _told():
        yield (
            str(name),
            {
                "name": str(name),
                "summary": _first_line(model),
                "contentType": "application/json",
                "payload": _ref("components", "schemas", model.__name__),
                "examples": [{"payload": EXAMPLES[name]}],
            },
        )


def _first_line(model: type[BaseModel]) -> str:
    return (getdoc(model) or "").partition("\n")[0]


class _Draft7(GenerateJsonSchema):
    """Writes what pydantic knows as draft 7, short, and without the titles that it invents."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave a field's title out: it is its name."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Document:
        """Say that a value may be null in its type."""
        inner = self.generate_inner(schema["schema"])
        return {**inner, "type": [inner["type"], "null"]}

    def tuple_schema(self, schema: core_schema.TupleSchema) -> Document:
        """Say a tuple of equal parts as an array; `prefixItems` is younger than draft 7."""
        made = super().tuple_schema(schema)
        if parts := made.pop("prefixItems", None):
            made["items"] = parts[0]
        return made

    def model_schema(self, schema: core_schema.ModelSchema) -> Document:
        """Say a description of several lines as one."""
        made = super().model_schema(schema)
        return {**made, "description": " ".join(made["description"].split())}


def _schemas() -> Document:
    """Return the payloads' schemas; what a device hears always has all its fields."""
    up: list[tuple[type[BaseModel], JsonSchemaMode]]
    up = [(model, "validation") for model in MODELS.values()]
    down: list[tuple[type[BaseModel], JsonSchemaMode]]
    down = [(model, "serialization") for model in DOWN.values()]
    _, made = models_json_schema(
        [*up, *down], ref_template="#/components/schemas/{model}", schema_generator=_Draft7
    )
    schemas: Document = made["$defs"]
    schemas[Event.__name__]["allOf"] = list(_event_rules())
    return schemas


def _event_rules() -> Iterator[Document]:
    """Yield which fields an event cannot do without, and that a place has both coordinates."""
    for kind, needed in NEEDS.items():
        yield {"if": {"properties": {"kind": {"const": str(kind)}}}, "then": _given(*needed)}
    yield {"if": _given("lon"), "then": _given("lat")}
    yield {"if": _given("lat"), "then": _given("lon")}


def _given(*names: str) -> Document:
    return {
        "required": list(names),
        "properties": {name: {"not": {"type": "null"}} for name in names},
    }
