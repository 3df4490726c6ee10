"""Numbers from the lines of a text file; each mistake is named with its file and line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from config.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1e9


def text_of(path: Path) -> str:
    """Return a file's text.

    Raises:
        FileFormatError: it is no text, or cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: is not a text file ({error.reason})") from None
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror}") from None


def number(path: Path, line: int, name: str, text: str) -> float:
    """Return a number.

    Raises:
        FileFormatError: it is none, or far too large.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        raise FileFormatError(f"{path}:{line}: {name} {text!r} is no usable number")
    return value


def amount(path: Path, line: int, name: str, text: str) -> float:
    """Return a number that is not negative.

    Raises:
        FileFormatError: it is.
    """
    value = number(path, line, name, text)
    if value < 0:
        raise FileFormatError(f"{path}:{line}: {name} {text} is negative")
    return value


def count(path: Path, line: int, name: str, text: str) -> int:
    """Return a whole number from 1 on.

    Raises:
        FileFormatError: it is not.
    """
    value = amount(path, line, name, text)
    if value != round(value) or value < 1:
        raise FileFormatError(f"{path}:{line}: {name} {text!r} is no whole number from 1 on")
    return round(value)
