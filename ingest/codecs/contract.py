"""Our own contract: JSON on the device's topic."""

from functools import lru_cache

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.codecs.codec import Decoded, Refusal, first_problem
from ingest.messages import MAX_PAYLOAD_BYTES, MODELS, BootNumber, Sequence, parse_up

_parse_up = lru_cache(maxsize=32_768)(parse_up)  # a fleet has few topics and says much
_VALIDATE = {kind: model.__pydantic_validator__.validate_json for kind, model in MODELS.items()}


class _Name(BaseModel):
    """The part of a message that names the record."""

    model_config = ConfigDict(strict=True)

    seq: Sequence
    boot: BootNumber = 0


class ContractCodec:
    """Reads what `ingest.messages` describes."""

    name = "contract"

    def reads(self, topic: str) -> bool:
        """Whether a topic is one of the contract's."""
        return _parse_up(topic) is not None

    def decode(self, topic: str, payload: bytes) -> Decoded | Refusal:
        """Decode one message."""
        uplink = _parse_up(topic)
        if uplink is None:
            return Refusal("topic: not one of the contract")
        if len(payload) > MAX_PAYLOAD_BYTES:
            reason = f"payload: {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are taken"
            return Refusal(reason, uplink.device)
        try:
            message = _VALIDATE[uplink.kind](payload)
        except ValidationError as error:
            return _refuse(f"{uplink.kind}: {first_problem(error)}", uplink.device, payload)
        return Decoded(uplink.region, uplink.device, (message,))


def _refuse(reason: str, sender: str, payload: bytes) -> Refusal:
    try:
        name = _Name.model_validate_json(payload)
    except ValidationError:
        return Refusal(reason, sender)
    return Refusal(reason, sender, name.boot, name.seq)
