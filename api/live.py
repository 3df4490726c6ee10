"""Live changes to everybody who looks, as server-sent events.

One thread per process listens to the outbox, however many clients look. What it finds goes to a
short queue per client; a client that does not read loses its connection, not our memory, and
catches up with `Last-Event-ID` when it comes back. Trucks move at most once a second.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.picture import Event, Picture
from config.clock import Clock
from config.errors import DatabaseError
from config.region import Region
from storage import outbox
from storage.database import Database

logger = logging.getLogger(__name__)

_PACE_S = 1.0
_LISTEN_S = 0.25
_CLOCK_S = 5.0
_RETRY_S = 1.0
_QUEUED = 32
_SILENCE_S = 15.0
_STUCK_S = 20.0
_END = b""


class LiveHub:
    """Listens once, tells many."""

    def __init__(self, database: Database, region: Region, clock: Clock) -> None:
        self._database = database
        self._picture = Picture(region, clock)
        self._clients: set[asyncio.Queue[bytes]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to listen; called in the server's event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """End all streams and stop listening; may be called from anywhere."""
        self._ending.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all)

    def join(self) -> None:
        """Wait until nothing is listening any more."""
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def subscribe(self) -> asyncio.Queue[bytes]:
        """Return a queue that receives all frames from now on; empty bytes end it."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED)
        self._clients.add(queue)
        if self._ending.is_set():
            queue.put_nowait(_END)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[bytes]) -> None:
        """Forget a client."""
        self._clients.discard(queue)

    def catch_up(self, pool: ConnectionPool, last: int | None) -> list[bytes]:
        """Return what a client has to hear first.

        Args:
            pool: a connection of its own, since the listener has one for itself.
            last: the id of the event it heard last; None for one that has just loaded the page.
        """
        with pool.connection(timeout=2) as connection:
            newest = outbox.newest(connection)
            events = list(self._catch_up(connection, last, newest))
        return [_frame(event, newest) for event in events]

    def _catch_up(
        self, connection: psycopg.Connection, last: int | None, newest: int
    ) -> Iterator[Event]:
        yield self._picture.clock()
        yield self._picture.all_positions(connection)
        if last is None or last == newest:
            return
        known = outbox.after(connection, last - 1, limit=1)
        if not known or known[0].id != last:
            yield Event("reset", {})  # too long ago: it has to load everything again
            return
        yield from _plans(outbox.after(connection, last, kind=outbox.Kind.PLAN))
        yield from self._picture.all_tours(connection)
        yield from self._picture.containers_since(connection, known[0].at)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with self._database.connect(autocommit=True) as connection:
                    outbox.listen(connection)
                    self._follow(connection)
            except (psycopg.Error, DatabaseError) as error:
                logger.warning("live: the database is away (%s)", type(error).__name__)
                self._ending.wait(_RETRY_S)

    def _follow(self, connection: psycopg.Connection) -> None:
        seen = outbox.newest(connection)
        told_clock = 0.0
        list(self._picture.changes(connection, fixes_only=False))
        while not self._ending.is_set():
            started = time.monotonic()
            events: list[Event] = []
            if news := self._news(connection, seen):
                seen = news[-1].id
            if news and self._clients:
                events += _plans(news)
                events += self._picture.changes(connection, fixes_only=_fixes_only(news))
            if time.monotonic() - told_clock >= _CLOCK_S:
                told_clock = time.monotonic()
                events.append(self._picture.clock())
            self._tell([_frame(event, seen) for event in events])
            if news:
                self._ending.wait(max(0.0, _PACE_S - (time.monotonic() - started)))
            else:
                list(connection.notifies(timeout=_LISTEN_S, stop_after=1))

    def _news(self, connection: psycopg.Connection, seen: int) -> list[outbox.News]:
        news: list[outbox.News] = []
        while part := outbox.after(connection, news[-1].id if news else seen):
            news += part
        return news

    def _tell(self, frames: list[bytes]) -> None:
        if frames and self._clients and self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._fan_out, frames)

    def _fan_out(self, frames: list[bytes]) -> None:
        for queue in list(self._clients):
            try:
                for frame in frames:
                    queue.put_nowait(frame)
            except asyncio.QueueFull:
                self._end(queue)

    def _end_all(self) -> None:
        for queue in list(self._clients):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[bytes]) -> None:
        """Drop what a client has not read and end its stream."""
        self._clients.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(_END)


def _plans(news: Iterable[outbox.News]) -> list[Event]:
    """Return one event per plan that was stored or changed its state."""
    names = dict.fromkeys(row.key for row in news if row.kind == outbox.Kind.PLAN)
    return [Event("plan", {"plan": name}) for name in names]


def _fixes_only(news: list[outbox.News]) -> bool:
    """Whether nothing but positions has come in."""
    return all(
        row.kind == outbox.Kind.TELEMETRY
        and not any(count for name, count in row.payload.items() if name != "position")
        for row in news
    )


def _frame(event: Event, number: int) -> bytes:
    data = json.dumps(event.data, separators=(",", ":"), ensure_ascii=False)
    return f"id: {number}\nevent: {event.name}\ndata: {data}\n\n".encode()


class LiveResponse(Response):
    """Streams a client's frames until it leaves, does not read, or the server ends."""

    media_type = "text/event-stream"

    def __init__(self, hub: LiveHub, queue: asyncio.Queue[bytes], first: list[bytes]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._queue = queue
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes; an ASGI app."""
        gone: asyncio.Future[Any] = asyncio.ensure_future(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            for frame in [b"retry: 2000\n\n", *self._first]:
                await _send(send, frame)
            while frame := await _next(self._queue, gone):
                await _send(send, frame)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            logger.info("live: a client does not read; its connection ends")
        finally:
            self._hub.unsubscribe(self._queue)
            gone.cancel()


async def _send(send: Send, frame: bytes) -> None:
    message = {"type": "http.response.body", "body": frame, "more_body": True}
    await asyncio.wait_for(send(message), _STUCK_S)


async def _next(queue: asyncio.Queue[bytes], gone: asyncio.Future[Any]) -> bytes:
    """Return the next frame, a sign of life when it is quiet, or nothing when it is over."""
    coming: asyncio.Future[Any] = asyncio.ensure_future(queue.get())
    await asyncio.wait({coming, gone}, timeout=_SILENCE_S, return_when=asyncio.FIRST_COMPLETED)
    if coming.done():
        return bytes(coming.result())
    coming.cancel()
    return _END if gone.done() else b": quiet\n\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
