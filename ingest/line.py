"""Our line to a broker: MQTT 3.1.1 that comes back by itself."""

import logging
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from config.errors import BrokerError
from config.source import TlsFiles
from ingest.backoff import Backoff
from ingest.client import BufferedSocket, Client

SAY_EVERY = 20  # of the attempts that fail in the same way, one in so many is told
KEEPALIVE_S = 10  # a link that has died without a word is noticed within twice this time
PORTS = {"mqtt": 1883, "mqtts": 8883}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Login:
    """Where the broker is and how we present ourselves.

    Attributes:
        url: mqtt://host:port, or mqtts://host:port for TLS.
        user: our user name.
        password: its secret.
        client_id: names our session; a secret too, because whoever uses it throws us off.
        tls: files for mqtts beyond the system's own authorities.
        name: what the line is called in logs.
        advice: what to check when there is no line.
    """

    url: str
    user: str
    password: SecretStr
    client_id: SecretStr
    tls: TlsFiles = field(default_factory=TlsFiles)
    name: str = "broker"
    advice: str = "check BINROUND_BROKER_URL, BINROUND_BROKER_USER and BINROUND_BROKER_PASSWORD"


class Line:
    """A connection in a thread of its own; it comes back with capped back-off and jitter."""

    def __init__(self, login: Login, *, keep_session: bool) -> None:
        """Prepare a line.

        Args:
            login: where and who.
            keep_session: whether the broker keeps for us what comes while we are away; then
                every message has to be acknowledged by hand.

        Raises:
            BrokerError: the address cannot be used.
        """
        parts = urlsplit(login.url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise BrokerError(
                f"broker address {login.url!r} is not mqtt://host:port or mqtts://host:port; "
                "set BINROUND_BROKER_URL"
            )
        self._login = login
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=login.client_id.get_secret_value(),
            clean_session=not keep_session,
            protocol=mqtt.MQTTv311,
            manual_ack=keep_session,
        )
        self.client.username_pw_set(login.user, login.password.get_secret_value())
        if parts.scheme == "mqtts":
            self.client.tls_set_context(login.tls.context())
        self._address = (parts.hostname, parts.port or PORTS[parts.scheme])
        self.client.on_connect = self._answered
        self.client.on_disconnect = self._lost
        self.client.on_connect_fail = self._failed
        self.on_up: Callable[[], None] = self.ready
        self.on_down: Callable[[], None] = lambda: None
        self._backoff = Backoff()
        self._ready = threading.Event()
        self._settled = threading.Event()  # the first attempt has come to an end
        self.times_up = 0  # how often it came up: a change means that something may be missed
        self.session_present = False  # whether the broker had our session when we last came
        self._problem = "nothing answers there"
        self._attempts = 0  # that failed, since it was last up
        self._telling = False

    def start(self, timeout_s: float) -> None:
        """Connect; from then on the line comes back by itself.

        Raises:
            BrokerError: there is no line within the time; the message says why.
        """
        self._connect()
        self._settled.wait(timeout_s)
        if not self.is_up:
            self.stop()
            raise BrokerError(
                f"no {self._login.name} at {self._login.url} ({self._problem}); "
                f"{self._login.advice}"
            )
        self._telling = True

    def begin(self) -> None:
        """Connect as soon as that can be done; for ever it is tried again, and told in the log."""
        self._telling = True
        self._connect()

    def _connect(self) -> None:
        self.client.connect_async(*self._address, keepalive=KEEPALIVE_S)
        self.client.loop_start()

    def stop(self) -> None:
        """Send what is waiting, then hang up."""
        self._ready.clear()
        self.client.disconnect()
        self.client.loop_stop()

    def ready(self) -> None:
        """Count the line as usable: connected, and subscribed where that is needed."""
        self._backoff.reset()
        if self._telling:
            log.info("%s: line is up", self._login.name)
        self._attempts = 0
        self.times_up += 1
        self._ready.set()
        self._settled.set()

    def refuse(self, problem: str) -> None:
        """Note why the line is not usable; the first time, trying again would be no help."""
        self._note(f"refused: {problem}")
        self._settled.set()

    def drop(self) -> None:
        """Cut the connection, so that the line comes back anew."""
        connection = self.client.socket()
        if isinstance(connection, BufferedSocket):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def is_up(self) -> bool:
        """Whether it is usable now."""
        return self._ready.is_set()

    def _answered(self, *args: Any) -> None:
        flags, reason = args[2], args[3]
        self.session_present = flags.session_present
        if reason.is_failure:
            self.refuse(str(reason).lower())
        else:
            self.on_up()

    def _lost(self, *_: Any) -> None:
        if self._ready.is_set():
            log.warning("%s: line lost, it will come back", self._login.name)
        self._ready.clear()
        self.on_down()
        self._wait_next_time()

    def _failed(self, *_: Any) -> None:
        error = sys.exception()  # paho calls this where it caught it, and hands on nothing
        self._note(str(getattr(error, "strerror", None) or error or "nothing answers there"))
        self._wait_next_time()

    def _note(self, problem: str) -> None:
        """Tell why there is no line: when it is news, and then now and again."""
        if self._telling and (problem != self._problem or self._attempts % SAY_EVERY == 0):
            log.warning(
                "%s: no line to %s (%s), trying again; %s",
                self._login.name, self._login.url, problem, self._login.advice,
            )  # fmt: skip
        self._problem = problem
        self._attempts += 1

    def _wait_next_time(self) -> None:
        # Setting the delay anew also resets paho's own doubling, which has no jitter.
        wait_s = self._backoff.next_s()
        self.client.reconnect_delay_set(min_delay=wait_s, max_delay=wait_s)  # type: ignore[arg-type]
