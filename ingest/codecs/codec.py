"""What every codec does."""

from typing import NamedTuple, Protocol

from pydantic import ValidationError

from ingest.messages import Message


class Decoded(NamedTuple):
    """What a device says in one message, as its topic and bytes tell."""

    region: str
    device: str
    messages: tuple[Message, ...]


class Refusal(NamedTuple):
    """Why a message cannot be used.

    Attributes:
        reason: for the person who looks at the dead letter; names the field, not its value.
        sender: the device as far as it could be told.
        boot, seq: the record's name if it could be read, so that its unit can be told that
            the record has arrived and need not be sent again.
    """

    reason: str
    sender: str = ""
    boot: int | None = None
    seq: int | None = None


class Codec(Protocol):
    """Reads the messages of one vendor, or of our own contract."""

    name: str

    def reads(self, topic: str) -> bool:
        """Whether messages on a topic are of this kind."""
        ...

    def decode(self, topic: str, payload: bytes) -> Decoded | Refusal:
        """Decode one message. Whatever the bytes are, it raises nothing."""
        ...


def first_problem(error: ValidationError) -> str:
    """Return the first thing that is wrong in a message: the field, and what about it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}" if field else first["msg"]
