"""On which line each field of a TOML or GeoJSON file stands.

The parsers of the standard library keep no positions. These finders run after them, on text
that is known to be well formed, and only follow its structure.
"""

import json
import re
from typing import Any

from config.region_source import FieldPath

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}'  # strings of several lines
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
    r"|\#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,.\"'\#]+",
    re.DOTALL,
)


def toml_lines(text: str) -> dict[FieldPath, int]:
    """Return the line of every key, table and list element of a well-formed TOML text."""
    return _TomlLines(text).read()


class _TomlLines:
    """Walks the tokens of a TOML text; a value's structure is followed, its meaning is not."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, int]] = []
        line = 1
        for token in _TOKEN.findall(text):
            if not token.startswith("#"):
                self.tokens.append((token, line))
            line += token.count("\n")
        self.at = 0
        self.lines: dict[FieldPath, int] = {}
        self.counts: dict[FieldPath, int] = {}  # elements of each [[list of tables]] so far

    def read(self) -> dict[FieldPath, int]:
        table: FieldPath = ()
        while self._peek() is not None:
            if self._peek() == "\n":
                self.at += 1
            elif self._peek() == "[":
                table = self._header()
            else:
                self._key_value(table)
        return self.lines

    def _peek(self) -> str | None:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else None

    def _take(self) -> tuple[str, int]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _skip_newlines(self) -> None:
        while self._peek() == "\n":
            self.at += 1

    def _header(self) -> FieldPath:
        line = self._take()[1]
        is_list = self._peek() == "["
        self.at += is_list
        path = self._inside_lists(self._key("]"))
        self.at += is_list
        if is_list:
            index = self.counts.get(path, 0)
            self.counts[path] = index + 1
            self._note(path, line)
            path = (*path, index)
        self._note(path, line)
        return path

    def _inside_lists(self, names: list[str]) -> FieldPath:
        """Turn a header's names into a path: inside a list they mean its latest element."""
        path: FieldPath = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if path in self.counts and position < len(names) - 1:
                path = (*path, self.counts[path] - 1)
        return path

    def _key(self, end: str) -> list[str]:
        names = []
        while (part := self._take()[0]) != end:
            if part != ".":
                names.append(_unquoted(part))
        return names

    def _key_value(self, table: FieldPath) -> None:
        line = self.tokens[self.at][1]
        path = table
        for name in self._key("="):
            path = (*path, name)
            self._note(path, line)
        self._value(path)

    def _value(self, path: FieldPath) -> None:
        match self._peek():
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case _:  # a number, a word, a string, a date: everything up to the next mark
                while self._peek() not in {",", "]", "}", "\n", None}:
                    self.at += 1

    def _list(self, path: FieldPath) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip_newlines()
            if self._peek() == "]":
                self.at += 1
                return
            if self._peek() == ",":
                self.at += 1
                continue
            self._note((*path, index), self.tokens[self.at][1])
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: FieldPath) -> None:
        self.at += 1
        while True:
            self._skip_newlines()
            if self._peek() == "}":
                self.at += 1
                return
            if self._peek() == ",":
                self.at += 1
                continue
            self._key_value(path)

    def _note(self, path: FieldPath, line: int) -> None:
        self.lines.setdefault(path, line)


def _unquoted(token: str) -> str:
    if token.startswith('"'):
        return str(json.loads(token))
    return token.strip("'")


def json_features(text: str) -> list[tuple[Any, int, str]]:
    """Return (feature, line, its text) for each element of the top-level list `features`.

    Args:
        text: well-formed JSON with an object at its top.
    """
    decoder = json.JSONDecoder()
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # the colon
        if key == "features" and text[at] == "[":
            return _elements(decoder, text, at + 1)
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return []


def _elements(decoder: json.JSONDecoder, text: str, at: int) -> list[tuple[Any, int, str]]:
    found: list[tuple[Any, int, str]] = []
    line, counted = 1, 0
    at = _skip(text, at)
    while text[at] != "]":
        value, end = decoder.raw_decode(text, at)
        line, counted = line + text.count("\n", counted, at), at
        found.append((value, line, text[at:end]))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
