"""How cells of a plan are read: times, dates, numbers and words, in English and German."""

import re
from collections.abc import Mapping
from datetime import date

from optimizer.certify.given import Action

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "tour": ("tour",),
    "date": ("datum", "day", "tag"),
    "vehicle": ("fahrzeug", "wagen", "truck"),
    "service": ("dienst", "leistung"),
    "crew": ("besatzung",),
    "banksman": ("einweiser",),
    "team": ("mannschaft",),
    "action": ("aktion", "art"),
    "place": ("ort", "site", "standort"),
    "lon": ("longitude", "laenge", "länge"),
    "lat": ("latitude", "breite"),
    "arrival": ("ankunft",),
    "start": ("beginn",),
    "departure": ("abfahrt",),
    "fraction": ("fraktion",),
    "containers": ("behaelter", "behälter", "container"),
    "kg": ("gewicht_kg",),
    "litres": ("liter", "volumen_l"),
    "reverse": ("rueckwaerts", "rückwärts"),
    "reverse_m": ("rueckwaerts_m", "rückwärts_m"),
    "side": ("seite",),
}
"""Columns of a plan as CSV, each with the other names it may have."""

ACTIONS: Mapping[Action, tuple[str, ...]] = {
    Action.START: ("start", "abfahrt", "ausfahrt"),
    Action.COLLECT: ("collect", "visit", "leeren", "leerung", "sammeln", "sammlung"),
    Action.UNLOAD: ("unload", "entladen", "entladung", "kippen"),
    Action.BREAK: ("break", "pause"),
    Action.REVERSE: ("reverse", "rückwärts", "rueckwaerts", "rückwärtsfahrt"),
    Action.END: ("end", "ende", "rückkehr", "rueckkehr", "einfahrt"),
}
_TRUE, _FALSE = ("yes", "ja", "true", "1", "x"), ("no", "nein", "false", "0")
_SIDES = {"left": "left", "links": "left", "right": "right", "rechts": "right"}
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")
_LATEST_HOUR = 47  # a tour may pass midnight, no more than once


def column(name: str) -> str | None:
    """Return which column a heading means, `kg:FRACTION` included; None: none that is read."""
    text = name.strip().lower()
    for known, others in COLUMNS.items():
        if text == known or text in others:
            return known
    amount, colon, fraction = text.partition(":")
    found = column(amount) if colon else None
    return f"{found}:{fraction}" if found in ("kg", "litres") and fraction else None


def action(text: str) -> Action:
    """Read what happens at a stop.

    Raises:
        ValueError: says what can be written.
    """
    for known, words in ACTIONS.items():
        if text.lower() in words:
            return known
    raise ValueError(f"{text!r}: write {', '.join(ACTIONS)}")


def clock(text: str) -> int:
    """Read a time as seconds of the day: 07:30, 07:30:15, or 24:10 for ten past midnight.

    Raises:
        ValueError: says how to write it.
    """
    match = _TIME.fullmatch(text)
    if not match or int(match[1]) > _LATEST_HOUR:
        raise ValueError(f"{text!r}: write a time as 07:30 or 07:30:15")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


def day(text: str) -> date:
    """Read a date: 2026-11-24 or 24.11.2026.

    Raises:
        ValueError: says how to write it.
    """
    german = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    try:
        if german:
            return date(int(german[3]), int(german[2]), int(german[1]))
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r}: write a date as 2026-11-24 or 24.11.2026") from None


def number(text: str) -> float:
    """Read a number with a decimal point or comma; no sign between thousands.

    Raises:
        ValueError: says how to write it.
    """
    if not re.fullmatch(r"-?\d{1,9}([.,]\d{1,12})?", text):
        raise ValueError(f"{text!r}: write a number as 1250.5 or 1250,5")
    return float(text.replace(",", "."))


def amount(text: str) -> float:
    """Read a number that is not below 0.

    Raises:
        ValueError: says what is wrong.
    """
    value = number(text)
    if value < 0:
        raise ValueError(f"{text!r}: must not be below 0")
    return value


def persons(text: str) -> int:
    """Read the size of a crew.

    Raises:
        ValueError: says how to write it.
    """
    if not re.fullmatch(r"[1-9]", text):
        raise ValueError(f"{text!r}: write how many persons are on board, 1 to 9")
    return int(text)


def truth(text: str) -> bool:
    """Read yes or no.

    Raises:
        ValueError: says what can be written.
    """
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError(f"{text!r}: write yes or no")
    return text.lower() in _TRUE


def side(text: str) -> str:
    """Read the side of the truck.

    Raises:
        ValueError: says what can be written.
    """
    if text.lower() not in _SIDES:
        raise ValueError(f"{text!r}: write left or right")
    return _SIDES[text.lower()]


def degrees(text: str) -> float:
    """Read a longitude or latitude in degrees.

    Raises:
        ValueError: says what is wrong.
    """
    value = number(text)
    if abs(value) > 180:
        raise ValueError(f"{text!r}: is no longitude or latitude in degrees")
    return value
