"""Sentences in both languages of the product, and how figures are written in them."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, Language] = ("en", "de")


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages of the product."""

    en: str
    de: str

    def __add__(self, other: "Text") -> "Text":
        """Return two sentences, one after the other."""
        return Text(f"{self.en} {other.en}".strip(), f"{self.de} {other.de}".strip())

    def within(self, en: str, de: str) -> "Text":
        """Put this text into a sentence in which `{}` stands for it."""
        return Text(en.format(self.en), de.format(self.de))


NOTHING = Text("", "")


def level(share: float, sd: float, language: Language) -> str:
    """Return a fill level with its deviation."""
    unit = "%" if language == "en" else " %"
    return f"{share * 100:.0f}{unit} ±{sd * 100:.0f}"


def share(part: float) -> Text:
    """Return a share in percent."""
    return Text(f"{part:.0%}", f"{part * 100:.0f} %")


def eur(amount: float, language: Language) -> str:
    """Return an amount of money."""
    if language == "en":
        return f"-€{-amount:,.2f}" if amount < -0.005 else f"€{max(amount, 0.0):,.2f}"
    return f"{number(amount, 2).de} €"


def money(amount: float) -> Text:
    """Return an amount of money in both languages."""
    return Text(eur(amount, "en"), eur(amount, "de"))


def number(amount: float, decimals: int = 0) -> Text:
    """Return a number with its thousands set apart."""
    text = f"{amount:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return Text(text, text.replace(",", "_").replace(".", ",").replace("_", "."))


def duration(seconds: float) -> Text:
    """Return a span of time in hours and minutes."""
    hours, minutes = divmod(round(seconds / 60), 60)
    text = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
    return Text(text, text)


def capital(text: str) -> str:
    """Return a text that begins like a sentence."""
    return text[:1].upper() + text[1:]
