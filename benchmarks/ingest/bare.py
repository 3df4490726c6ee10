"""The ceiling of an MQTT client in Python: paho, acknowledging at once and storing nothing.

`python -m benchmarks.ingest.bare URL FILTER`; user, password and client id come from the
environment. It writes how many messages it has had to its standard output whenever it is asked to,
by a line on its standard input.
"""

import os
import sys
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def main(url: str, topic: str) -> None:
    """Subscribe, count, acknowledge."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=os.environ["SUBSCRIBER_CLIENT_ID"],
        clean_session=False,
        manual_ack=True,
    )
    client.username_pw_set(os.environ["SUBSCRIBER_USER"], os.environ["SUBSCRIBER_PASSWORD"])
    had = 0

    def take(client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        nonlocal had
        had += 1
        client.ack(message.mid, message.qos)

    def subscribe(*_: Any) -> None:
        client.subscribe(topic, qos=1)

    client.on_connect = subscribe
    client.on_subscribe = lambda *_: print("READY", flush=True)
    client.on_message = take
    parts = urlsplit(url)
    client.connect(str(parts.hostname), parts.port or 1883)
    client.loop_start()
    for _ in sys.stdin:
        print(had, flush=True)
    client.loop_stop()


if __name__ == "__main__":
    main(*sys.argv[1:3])
