"""What a proposal says to people, in English and German."""

from __future__ import annotations

from optimizer.explain import REASONS, Text
from optimizer.model import Reason

LOCKED, CLOSED = "locked", "closed"
_OWN = {
    LOCKED: Text(
        "it is locked to a truck that cannot serve it any more; unlock it to give it to another",
        "er ist an ein Fahrzeug gebunden, das ihn nicht mehr anfahren kann; ohne Bindung kann ihn "
        "ein anderes übernehmen",
    ),
    CLOSED: Text("its place is closed", "sein Standort ist gesperrt"),
}


def undone_text(visit: str, reason: str) -> Text:
    """Say why a stop is left undone."""
    why = _OWN[reason] if reason in _OWN else REASONS[Reason(reason)]
    return Text(f"{visit} is not served: {why.en}.", f"{visit} wird nicht angefahren: {why.de}.")


def stranded_text(vehicle: str, kg: float) -> Text:
    """Say that a broken-down truck holds waste."""
    return Text(
        f"{vehicle} stands with {kg:.0f} kg on board; it has to be unloaded before it is repaired "
        "or towed.",
        f"{vehicle} steht mit {kg:.0f} kg Ladung; vor Reparatur oder Abschleppen ist zu entladen.",
    )


def overrun_text(vehicle: str, late_s: int) -> Text:
    """Say that a truck will be late whatever is planned."""
    minutes = -(-late_s // 60)
    return Text(
        f"{vehicle} is {minutes} min over its shift even if it unloads and goes home at once.",
        f"{vehicle} überzieht die Schicht um {minutes} min, selbst wenn es sofort entlädt und "
        "heimfährt.",
    )


def passed_text(vehicle: str, visit: str) -> Text:
    """Say that a stop seems to have been left out."""
    return Text(
        f"{vehicle} reported nothing of {visit} but a later stop; it counts as passed.",
        f"{vehicle} meldete zu {visit} nichts, aber einen späteren Halt; er gilt als passiert.",
    )
