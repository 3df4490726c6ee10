"""The Things Stack's Storage Integration: stored uplinks over HTTP, oldest first.

    GET /api/v3/as/applications/{application}/packages/storage/uplink_message
        ?order=received_at&after=...&before=...&limit=...
    Authorization: Bearer KEY          (right: RIGHT_APPLICATION_TRAFFIC_READ)
    Accept: text/event-stream

The answer is one JSON object a line, `{"result": {...}}`, with blank lines between; a failure on
the way is a line `{"error": {"message": ...}}`. Before the first line it is an HTTP status with
`{"message": ...}`, and 429 where somebody asks too often.

Sources: https://www.thethingsindustries.com/docs/integrations/storage/retrieve/,
https://www.thethingsindustries.com/docs/api/reference/grpc/storage_integration/, and
api/ttn/lorawan/v3/applicationserver_integrations_storage.proto of TheThingsNetwork/lorawan-stack
for the parameters and for what `order` may be.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import httpx
from pydantic import BaseModel, Field, SecretStr, ValidationError

from config.errors import BackfillError
from config.source import TlsFiles
from ingest.messages import MAX_PAYLOAD_BYTES, Instant

PAGE = 1_000
LONGEST_LINE = 4 * MAX_PAYLOAD_BYTES
LONGEST_WAIT_S = 3600.0  # that a server may ask for
WAITS = httpx.Timeout(10.0, connect=5.0)
_TICK = timedelta(microseconds=1)


class StoredUplink(NamedTuple):
    """An uplink as the storage keeps it.

    Attributes:
        received_at: by the network server; None in a line that is no uplink.
        topic: on which it was, or would have been, published.
        payload: the message, as it would have been published.
    """

    received_at: datetime | None
    topic: str
    payload: bytes


class _Ids(BaseModel):
    device_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,36}$")]


class _Result(BaseModel):
    received_at: Instant
    end_device_ids: _Ids


class _Failure(BaseModel):
    message: str = "no reason given"


class _Line(BaseModel):
    result: _Result | None = None
    error: _Failure | None = None


class ThingsStackStorage:
    """Reads the stored uplinks of one application."""

    def __init__(self, url: str, user: str, key: SecretStr, tls: TlsFiles) -> None:
        """Prepare it.

        Args:
            url: of the application's stored uplinks.
            user: `application@tenant`, as in the topics of its messages.
            key: an API key with the right to read the application's traffic.
            tls: files for https beyond the system's own authorities.

        Raises:
            SettingsError: a file is missing or cannot be used.
        """
        self._url, self._user, self._key = url, user, key
        self._tls = tls.context()

    def uplinks(self, after: datetime, before: datetime) -> Iterator[StoredUplink]:
        """Yield the uplinks of a span, oldest first, as they come in; memory is bounded.

        The end is where asking from the newest one on brings nothing newer; so a server that
        hands out less than it is asked for hides nothing. The newest one comes again each time,
        because two may bear the same instant: who stores them tells them apart.

        Raises:
            BackfillError: the storage does not answer, or refuses; what was yielded counts.
        """
        newest = after
        with httpx.Client(verify=self._tls, timeout=WAITS) as client:
            while True:
                start = newest
                for uplink in self._page(client, start - _TICK, before):
                    newest = max(newest, uplink.received_at or newest)
                    yield uplink
                if newest <= start:
                    return

    def _page(
        self, client: httpx.Client, after: datetime, before: datetime
    ) -> Iterator[StoredUplink]:
        span = {"after": _written(after), "before": _written(before)}
        headers = {
            "Authorization": f"Bearer {self._key.get_secret_value()}",
            "Accept": "text/event-stream",
        }
        asked: dict[str, Any] = {"order": "received_at", "limit": PAGE, **span}
        try:
            with client.stream("GET", self._url, params=asked, headers=headers) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise _refused(answer)
                for line in _lines(answer.iter_bytes()):
                    yield self._uplink(line)
        except httpx.HTTPError as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise BackfillError(f"{self._url}: {said}") from None

    def _uplink(self, line: bytes) -> StoredUplink:
        """Return what a line says; one that says nothing usable keeps its bytes for who looks."""
        nothing = StoredUplink(None, f"v3/{self._user}/storage", line)
        try:
            read = _Line.model_validate_json(line)
            if read.error:
                raise BackfillError(f"{self._url}: {_plain(read.error.message)}")
            if read.result is None:
                return nothing
            message = json.dumps(json.loads(line)["result"], separators=(",", ":"))
        except ValueError:
            return nothing
        topic = f"v3/{self._user}/devices/{read.result.end_device_ids.device_id}/up"
        return StoredUplink(read.result.received_at, topic, message.encode())


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines that are not empty; of one without end only the beginning is kept.

    The last one counts only if it is ended: what a broken line leaves is fetched again.
    """
    held = b""
    for chunk in chunks:
        *whole, held = (held + chunk).split(b"\n")
        held = held[:LONGEST_LINE]
        yield from (line[:LONGEST_LINE] for line in map(bytes.strip, whole) if line)


def _refused(answer: httpx.Response) -> BackfillError:
    """Return what the server said instead of an answer, and for how long to leave it alone."""
    body = next(answer.iter_bytes(MAX_PAYLOAD_BYTES), b"")
    try:
        said = _Failure.model_validate_json(body).message
    except ValidationError:
        said = answer.reason_phrase
    wait = answer.headers.get("Retry-After", "")
    wait_s = min(float(wait), LONGEST_WAIT_S) if wait.isascii() and wait.isdecimal() else 0.0
    where = answer.url.copy_with(query=None)
    return BackfillError(f"{where}: {answer.status_code} {_plain(said)}", wait_s)


def _plain(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())[:200]


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
