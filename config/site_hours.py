"""Spans of the week as one line of text: `mon-fri 06:00-10:00; sat 08:00-12:00`."""

import re
from collections.abc import Iterator
from datetime import time
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from config.weekdays import WEEKDAYS, Weekday

_SPAN = re.compile(
    r"(?:(?P<days>[a-z]{3}(?:[-,][a-z]{3})*) +)?(?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)"
)
_EXAMPLE = 'write spans such as "mon-fri 06:00-10:00; sat 08:00-12:00"'

WeekSpan = tuple[tuple[Weekday, ...], time, time]  # weekdays, from, until


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(_span(part.strip()) for part in value.split(";") if part.strip())


def _span(text: str) -> WeekSpan:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r}: {_EXAMPLE}")
    try:
        opens, closes = time.fromisoformat(match["opens"]), time.fromisoformat(match["closes"])
    except ValueError:
        raise ValueError(f"{text!r}: no such time of day") from None
    if closes <= opens:
        raise ValueError(f"{text!r}: ends before it begins")
    days = tuple(dict.fromkeys(_days(match["days"], text))) if match["days"] else WEEKDAYS
    return days, opens, closes


def _days(text: str, span: str) -> Iterator[Weekday]:
    for part in text.split(","):
        first, *last = part.split("-")
        for name in (first, *last):
            if name not in WEEKDAYS:
                raise ValueError(f"{span!r}: {name!r} is no weekday; {_EXAMPLE}")
        indices = [WEEKDAYS.index(name) for name in (first, last[-1] if last else first)]
        if indices[1] < indices[0] or len(last) > 1:
            raise ValueError(f"{span!r}: {part!r} is no span of weekdays")
        yield from WEEKDAYS[indices[0] : indices[1] + 1]


def _written(spans: tuple[WeekSpan, ...]) -> str:
    return "; ".join(
        (f"{','.join(days)} " if days != WEEKDAYS else "") + f"{opens:%H:%M}-{closes:%H:%M}"
        for days, opens, closes in spans
    )


WeekSpans = Annotated[
    tuple[WeekSpan, ...], BeforeValidator(_parsed), PlainSerializer(_written, return_type=str)
]
