"""The broker: who may say what on it, and one that we start ourselves."""

from ingest.broker.access import Grant, Speaker, device_grants, server_grant
from ingest.broker.embedded import EmbeddedBroker
from ingest.broker.secret import client_id, server_secret

__all__ = [
    "EmbeddedBroker",
    "Grant",
    "Speaker",
    "client_id",
    "device_grants",
    "server_grant",
    "server_secret",
]
