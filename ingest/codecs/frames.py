"""A device's frame, decoded by the model's own codec: pure bytes in, our units out.

Every module in `ingest/codecs/vendors` that has `CODECS` takes part; docs/adding-a-sensor.md
shows how to add one.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple

from config.errors import FrameError
from ingest.codecs import vendors
from ingest.codecs.codec import Refusal
from ingest.codecs.measurement import Said

LONGEST_FRAME = 4_096  # a LoRaWAN frame has at most 242 bytes, a tracker's packet 1,280


class FrameCodec(NamedTuple):
    """How the frames of one model are read.

    Attributes:
        model: `vendor-model`.
        ports: LoRaWAN ports on which the model sends measurements; empty: any.
        read: from the bytes to what was said; raises FrameError and nothing else.
        aliases: what network servers call the model, besides its name with and without the vendor.
    """

    model: str
    ports: tuple[int, ...]
    read: Callable[[bytes], tuple[Said, ...]]
    aliases: tuple[str, ...] = ()


@cache
def frame_codecs() -> dict[str, FrameCodec]:
    """Return every model's codec by the model's name."""
    modules = (
        import_module(f"{vendors.__name__}.{it.name}") for it in iter_modules(vendors.__path__)
    )
    codecs: list[FrameCodec] = [
        codec for module in modules for codec in getattr(module, "CODECS", ())
    ]
    return {codec.model: codec for codec in sorted(codecs, key=lambda codec: codec.model)}


def model_called(names: Iterable[str]) -> str | None:
    """Return the model that somebody else's names for it mean; None if there is none.

    Args:
        names: such as `milesight-em400-mud`, `EM400-MUD` or `dl-mbx`; the first that fits counts.
    """
    for name in (name.strip().lower() for name in names):
        fits = [codec.model for codec in frame_codecs().values() if _means(codec, name)]
        if len(fits) == 1:
            return fits[0]
    return None


def _means(codec: FrameCodec, name: str) -> bool:
    _, _, without_vendor = codec.model.partition("-")
    return name in (codec.model, without_vendor, *codec.aliases)


def decode_frame(model: str, frame: bytes, port: int | None = None) -> tuple[Said, ...] | Refusal:
    """Decode one frame. Whatever the bytes are, it raises nothing.

    Args:
        model: `vendor-model`.
        frame: the bytes that the device sent.
        port: the LoRaWAN port; None where there is none or it is not known.

    Returns:
        what was said, oldest first: several where the device sends its history along; at least
        one. Or why there is nothing.
    """
    codec = frame_codecs().get(model)
    if codec is None:
        return Refusal(
            f"model: {model[:64]!r} has no decoder; known are {', '.join(frame_codecs())}"
        )
    if port is not None and codec.ports and port not in codec.ports:
        known = " or ".join(map(str, codec.ports))
        return Refusal(f"port: {model} sends measurements on port {known}, this came on {port}")
    if not frame or len(frame) > LONGEST_FRAME:
        return Refusal(f"frame: {len(frame)} bytes, 1 to {LONGEST_FRAME} are taken")
    try:
        said = codec.read(frame)
    except FrameError as error:
        return Refusal(str(error))
    except Exception as bug:  # of one vendor's decoder, which must not cost the others' messages
        return Refusal(f"decoder: {model} failed with {type(bug).__name__}; this is a bug of ours")
    return said or Refusal("measurement: none in this frame, it tells only about the device")
