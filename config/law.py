"""The rules that a plan is judged by, as data: paragraphs, limits and words (`law.toml`)."""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from config.fact import Fact, Id

FILE = "law.toml"
Language = Literal["en", "de"]
Unit = Literal["", "duration", "clock", "kg", "l", "m", "kWh", "count"]


class Rule(Fact):
    """A rule with what it cites and what it says when it is broken.

    Attributes:
        citation: a paragraph, or the region's file and field that says it.
        en: the rule in a line; likewise `de`.
        message_en: of a violation, with names in braces; likewise `message_de`.
        note_en: of what is worth knowing and breaks nothing; likewise `note_de`.
        unit: of value and limit; durations and clock times are seconds.
        parameters: figures of the paragraph, by their name in it.
    """

    id: Id
    citation: str
    en: str
    de: str
    message_en: str
    message_de: str
    note_en: str = ""
    note_de: str = ""
    unit: Unit = ""
    parameters: Mapping[str, float] = Field(default_factory=dict)

    def text(self, language: Language) -> str:
        """Return the rule in a line."""
        return self.de if language == "de" else self.en

    def message(self, language: Language, *, note: bool = False) -> str:
        """Return what a violation, or a note, says; names stand in braces."""
        if note:
            return self.note_de if language == "de" else self.note_en
        return self.message_de if language == "de" else self.message_en


class Law(Fact):
    """All rules by their id, in the order of the certificate.

    Attributes:
        digest: of the file that they stand in.
    """

    rules: Mapping[str, Rule]
    digest: str

    def __getitem__(self, name: str) -> Rule:
        """Return the rule with an id."""
        return self.rules[name]

    def limit(self, name: str, parameter: str) -> float:
        """Return a figure of a rule."""
        return self.rules[name].parameters[parameter]


@cache
def load_law() -> Law:
    """Return the rules that ship with binround."""
    raw = (files("config") / FILE).read_bytes()
    rules = [Rule.model_validate(rule) for rule in tomllib.loads(raw.decode())["rules"]]
    return Law(rules={rule.id: rule for rule in rules}, digest=hashlib.sha256(raw).hexdigest())
