"""The broker: who may say what on it, and one that we start ourselves."""

from ingest.broker.access import Grant, Speaker, device_grants, keeper_grant, server_grant
from ingest.broker.embedded import EmbeddedBroker
from ingest.broker.refusals import Refusals
from ingest.broker.region import region_broker
from ingest.broker.secret import client_id, server_secret
from ingest.broker.tls import ServerTls

__all__ = [
    "EmbeddedBroker",
    "Grant",
    "Refusals",
    "ServerTls",
    "Speaker",
    "client_id",
    "device_grants",
    "keeper_grant",
    "region_broker",
    "server_grant",
    "server_secret",
]
