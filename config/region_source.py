"""Where facts of a region folder stand, and the list of what is wrong with them.

Every mistake is one line `file:line: field: what is wrong`, so that an editor can jump to it.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from config.region import Fact

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """A file of the folder, and the line on which each of its fields stands."""

    file: str
    lines: Mapping[FieldPath, int]

    def line(self, path: FieldPath) -> int:
        """Return the line of a field; of what contains it when the field itself is missing."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


@dataclass(frozen=True)
class Declared[T: Fact]:
    """A validated fact, and where it was declared."""

    value: T
    source: Source
    path: FieldPath = ()


@dataclass
class FactList:
    """The well-formed facts of a list, and what is known of the malformed ones.

    Attributes:
        malformed: ids of the malformed facts; None among them for one whose id is wrong too.
    """

    facts: list[Declared[Any]] = field(default_factory=list)
    malformed: set[str | None] = field(default_factory=set)

    def __iter__(self) -> Iterator[Declared[Any]]:
        """Walk the well-formed facts."""
        return iter(self.facts)

    @property
    def complete(self) -> bool:
        """Whether it can be judged together with others."""
        return bool(self.facts) and not self.malformed

    @property
    def ids(self) -> set[str]:
        """The ids that can be referred to."""
        return {fact.value.id for fact in self.facts} | {name for name in self.malformed if name}

    def may_hold(self, name: str) -> bool:
        """Whether an id is in the list, or could be that of a fact whose own id is wrong."""
        return name in self.ids or None in self.malformed or not self.ids


@dataclass
class Mistakes:
    """Collects every mistake of a folder, so that they can be mended in one go."""

    _found: set[tuple[str, int, str, str]] = field(default_factory=set)

    def add(self, file: str, line: int, name: str, message: str) -> None:
        """Note a mistake in a field of a file."""
        self._found.add((file, line, name, message))

    def about(self, fact: Declared[Any], path: str | FieldPath, message: str) -> None:
        """Note a mistake in a field of a fact that is well formed by itself."""
        inside = (path,) if isinstance(path, str) else path
        self.add(
            fact.source.file, fact.source.line(fact.path + inside), field_name(inside), message
        )

    def lines(self) -> list[str]:
        """Return all mistakes in the order of files and lines."""
        return [
            f"{file}:{line}: {name}: {message}" for file, line, name, message in sorted(self._found)
        ]

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)


def field_name(path: FieldPath) -> str:
    """Write a path as people do: `compartments[0].capacity_l`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def declare[T: Fact](
    model: type[T], raw: Any, source: Source, path: FieldPath, mistakes: Mistakes
) -> Declared[T] | None:
    """Validate a raw fact; note its mistakes and return None when it has any."""
    try:
        return Declared(model.model_validate(raw), source, path)
    except ValidationError as error:
        for item in _causes(error):
            inside = tuple(part for part in item["loc"] if part != "[key]")
            mistakes.add(
                source.file,
                source.line(path + inside),
                field_name(inside) or field_name(path),
                _message(model, inside, item),
            )
        return None


def _causes(error: ValidationError) -> list[Any]:
    """Return the errors without lists found too short only because their items are wrong."""
    found = error.errors()
    places = [item["loc"] for item in found]
    return [
        item
        for item in found
        if item["type"] != "too_short"
        or not any(
            place[:-1] and place[: len(item["loc"])] == item["loc"] != place for place in places
        )
    ]


def _message(model: type[BaseModel], path: FieldPath, item: Mapping[str, Any]) -> str:
    match item["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "unknown field" + suggestion(str(path[-1]), _fields_at(model, path[:-1]))
        case "string_pattern_mismatch":
            return f"{item['input']!r}: use a-z, 0-9 and -, at most 32 characters"
        case "value_error":
            return str(item["ctx"]["error"])
        case _:
            return f"{_shown(item['input'])}: {_lower_first(item['msg'])}"


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` when a known name is close to the wrong one."""
    close = difflib.get_close_matches(wrong, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _fields_at(model: type[BaseModel], path: FieldPath) -> set[str]:
    for part in path:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next((m for m in _models_in(annotation)), model)
    return set(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]


def _shown(value: Any) -> str:
    text = re.sub(r"\s+", " ", repr(value))
    return text if len(text) <= 60 else text[:57] + "..."


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
