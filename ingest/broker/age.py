"""How long the broker keeps what it keeps: NATS's own streams get the age that a region declares.

NATS holds what MQTT needs in streams: messages that wait for a subscriber, retained messages, and
deliveries half done. By itself it keeps them for ever. The limit is written into the streams and
lies on the disk with them, so the broker goes by it even when we never come back.
"""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from nats.aio.client import Client
from nats.errors import Error as NatsError

from config.errors import BinroundError, BrokerError
from ingest.broker.access import KEEPER, keeper_secret
from ingest.outage import DATABASE_AWAY
from storage import retention
from storage.database import Database

WAITING, RETAINED = "$MQTT_msgs", "$MQTT_rmsgs"
STREAMS = (WAITING, RETAINED, "$MQTT_qos2in", "$MQTT_out")
LOOK_S, AGAIN_S = 5.0, 3600.0  # until the streams are there; and afterwards
ANSWER_S = 5.0
_NOT_THERE = 404

log = logging.getLogger(__name__)


class Holding(NamedTuple):
    """What a stream holds.

    Attributes:
        stream: its name at the broker.
        messages: their number.
        oldest: when the oldest came, by the broker's clock.
        limit: how old one may become; None for ever.
    """

    stream: str
    messages: int
    oldest: datetime | None
    limit: timedelta | None


def limit_age(address: str, secret: str, span: timedelta) -> bool:
    """Let a broker remove what is older than a span, now and from now on.

    Args:
        address: nats://host:port.
        secret: our server's.
        span: how old anything may become.

    Returns:
        Whether all streams are there; NATS makes them when the first client comes.

    Raises:
        BrokerError: it does not answer, or refuses.
    """
    return asyncio.run(_limit_age(address, secret, span))


def holdings(address: str, secret: str) -> list[Holding]:
    """Return what a broker holds in each stream that is there.

    Raises:
        BrokerError: it does not answer.
    """
    return asyncio.run(_holdings(address, secret))


@contextmanager
def keep_age(address: Callable[[], str], secret: str, database: Database) -> Iterator[None]:
    """See to it meanwhile that a broker keeps nothing for longer than the region declares."""
    stop = threading.Event()
    keeper = threading.Thread(
        target=_keep_age, args=(address, secret, database, stop), name="broker-age"
    )
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep_age(
    address: Callable[[], str], secret: str, database: Database, stop: threading.Event
) -> None:
    wait_s, complained = LOOK_S, False
    while not stop.wait(wait_s):
        wait_s = LOOK_S
        try:
            with database.connect() as connection:
                days = retention.declared(connection).positions_days
            if (where := address()) and limit_age(where, secret, timedelta(days=days)):
                log.info("the broker keeps nothing for longer than %d days", days)
                wait_s, complained = AGAIN_S, False
        except DATABASE_AWAY:
            continue
        except BinroundError as error:
            if not complained:
                log.warning("the broker's age limit is not set: %s", error)
            complained = True


async def _limit_age(address: str, secret: str, span: timedelta) -> bool:
    limit_ns = int(span.total_seconds() * 1e9)
    complete = True
    async with _server(address, secret) as server:
        for name in STREAMS:
            found = await _ask(server, f"STREAM.INFO.{name}")
            if found is None:
                complete = False
            elif found["config"]["max_age"] != limit_ns:
                window = min(found["config"]["duplicate_window"], limit_ns)
                changed = {**found["config"], "max_age": limit_ns, "duplicate_window": window}
                await _ask(server, f"STREAM.UPDATE.{name}", changed)
    return complete


async def _holdings(address: str, secret: str) -> list[Holding]:
    async with _server(address, secret) as server:
        found = [await _ask(server, f"STREAM.INFO.{name}") for name in STREAMS]
    return [_holding(info) for info in found if info]


def _holding(info: dict[str, Any]) -> Holding:
    config, state = info["config"], info["state"]
    oldest = datetime.fromisoformat(state["first_ts"]) if state["messages"] else None
    limit = timedelta(microseconds=config["max_age"] / 1000) if config["max_age"] else None
    return Holding(config["name"], state["messages"], oldest, limit)


@asynccontextmanager
async def _server(address: str, secret: str) -> AsyncIterator[Client]:
    server = Client()
    try:
        await server.connect(
            address,
            user=KEEPER,
            password=keeper_secret(secret),
            allow_reconnect=False,
            max_reconnect_attempts=1,  # at the start, too; it would try for two minutes
            reconnect_time_wait=0,
            connect_timeout=int(ANSWER_S),
            error_cb=_say_nothing,  # what is wrong is raised, too
        )
    except (NatsError, OSError, TimeoutError) as error:
        raise BrokerError(
            f"no NATS answers at {address} ({' '.join(str(error).split())}); "
            "check BINROUND_BROKER_ADMIN_URL"
        ) from None
    else:
        yield server
    finally:
        await server.close()


async def _ask(
    server: Client, verb: str, body: dict[str, Any] | None = None
) -> dict[str, Any] | None:
    """Return the broker's answer; None when it has no such stream."""
    try:
        order = json.dumps(body).encode() if body else b""
        message = await server.request(f"$JS.API.{verb}", order, timeout=ANSWER_S)
    except (NatsError, TimeoutError) as error:
        raise BrokerError(f"the broker does not answer {verb} ({type(error).__name__})") from None
    answer: dict[str, Any] = json.loads(message.data)
    if problem := answer.get("error"):
        if problem["code"] == _NOT_THERE:
            return None
        raise BrokerError(f"the broker refuses {verb}: {problem['description']}")
    return answer


async def _say_nothing(_: Exception) -> None:
    """Keep the client from writing a traceback into the log."""
