"""The line to the broker that units and gateways share: MQTT 3.1.1 with a persistent session."""

import random
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from config.errors import BrokerError, FileFormatError
from config.source import TlsFiles

KEEPALIVE_S = 30
PORTS = {"mqtt": 1883, "mqtts": 8883}


class Login(BaseModel):
    """How one device presents itself; the client id is as secret as the password.

    Attributes:
        tls: PEM files for mqtts: who vouches for the broker, and for mutual TLS its own.
    """

    model_config = ConfigDict(frozen=True)

    user: str
    password: SecretStr
    client_id: SecretStr
    tls: TlsFiles = TlsFiles()


class Credentials(BaseModel):
    """The file that the simulated city is handed: where the broker is, and who it plays.

    Attributes:
        url: mqtt://host:port or mqtts://host:port.
        devices: a login for each truck unit and for the gateway, by device name.
        gateway: the device that publishes for all sensors.
        ca: certificates of the authority that signed the broker's, beyond the system's own.
        certificates: folder with `DEVICE.pem` and `DEVICE.key` of each device (mutual TLS).
    """

    model_config = ConfigDict(frozen=True)

    url: str
    devices: dict[str, Login]
    gateway: str = Field(min_length=1)
    ca: Path | None = None
    certificates: Path | None = None

    @classmethod
    def read(cls, path: Path, ca: Path | None = None, certificates: Path | None = None) -> Self:
        """Read the file; `ca` and `certificates`, where given, win over what it says.

        Raises:
            FileFormatError: it is missing or not a credentials file.
        """
        try:
            read = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise FileFormatError(f"{path}: {error.strerror}; the demo writes this file") from None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise FileFormatError(f"{path}: {field}: {first['msg']}") from None
        given = {"ca": ca, "certificates": certificates}
        return read.model_copy(update={name: it for name, it in given.items() if it})

    def login(self, device: str) -> Login:
        """Return a device's login.

        Raises:
            BrokerError: there is none.
        """
        if device not in self.devices:
            raise BrokerError(f"no credentials for device {device!r}; provision it first")
        folder = self.certificates
        own = (folder / f"{device}.pem", folder / f"{device}.key") if folder else (None, None)
        return self.devices[device].model_copy(update={"tls": TlsFiles(self.ca, *own)})


def open_client(
    url: str, login: Login, in_flight: int, keepalive_s: int = KEEPALIVE_S
) -> mqtt.Client:
    """Return a client that is ready to `connect_async` to an address, and will reconnect.

    Args:
        url: the broker's address.
        login: who connects.
        in_flight: how many messages may wait for their PUBACK at once.
        keepalive_s: a link that has died without a word is noticed within twice this time.

    Raises:
        BrokerError: the address cannot be used.
        SettingsError: a file for TLS cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise BrokerError(f"broker address {url!r} is not mqtt://host:port or mqtts://host:port")
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=login.client_id.get_secret_value(),
        clean_session=False,
        protocol=mqtt.MQTTv311,
    )
    client.username_pw_set(login.user, login.password.get_secret_value())
    client.max_inflight_messages_set(in_flight)
    # A fleet that lost its broker must not come back in one instant.
    first = random.uniform(0.5, 1.5)  # noqa: S311  spreads load, is no secret
    client.reconnect_delay_set(min_delay=first, max_delay=40 * first)  # type: ignore[arg-type]
    if parts.scheme == "mqtts":
        client.tls_set_context(login.tls.context())
    client.connect_async(parts.hostname, parts.port or PORTS[parts.scheme], keepalive_s)
    return client


def hand_over(client: mqtt.Client, topic: str, payload: bytes | str) -> mqtt.MQTTMessageInfo:
    """Give a client a message to deliver at least once; returns what tells of its PUBACK.

    Without a connection paho keeps the message and sends it after the next one, yet notes an
    error that would make every later look at it raise.
    """
    handed = client.publish(topic, payload, qos=1)
    if handed.rc == mqtt.MQTT_ERR_NO_CONN:
        handed.rc = mqtt.MQTT_ERR_SUCCESS
    return handed
