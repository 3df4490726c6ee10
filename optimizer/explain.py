"""Why a site is in a plan, and why a container is not: in euro, in English and German."""

from dataclasses import dataclass
from typing import Literal

from optimizer.model import Reason

Language = Literal["en", "de"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages of the product."""

    en: str
    de: str


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """What is believed of a container and what it is worth today.

    Attributes:
        level: expected share of its volume when collection begins; `level_sd` its deviation.
        p_overflow: probability of overflowing before the next chance.
        waiting_eur: what waiting for the next chance costs on average.
        saved_share: share of a visit that waiting saves.
        prize_eur: what emptying it today is worth: their quotient, or the credit if that is more.
        credit_eur: the part of a later visit that emptying it today saves.
        handling_eur: what emptying it costs once the truck is there.
        joins: the policy wants it emptied if its site is visited.
        gap_days: days until the next chance.
        reading: the last reading; None without one.
    """

    id: str
    fraction: Text
    level: float
    level_sd: float
    p_overflow: float
    waiting_eur: float
    saved_share: float
    prize_eur: float
    credit_eur: float
    handling_eur: float
    joins: bool
    gap_days: float
    reading: float | None

    @property
    def on_the_way(self) -> bool:
        """Whether it is the later visit saved that makes it worth a stop, not its risk."""
        return self.credit_eur >= self.prize_eur > 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a site is visited.

    Attributes:
        level: of its fullest container.
        p_overflow: the largest probability of overflowing before the next chance.
        prize_eur: what the visit is worth; None for a mandatory one.
        marginal_eur: what the visit adds to its tour.
        text: one sentence.
    """

    level: float
    p_overflow: float
    prize_eur: float | None
    marginal_eur: float
    text: Text


def explain_visit(
    containers: tuple[ContainerFacts, ...],
    prize_eur: float | None,
    marginal_eur: float,
    policy: str,
) -> Explanation:
    """Explain a visit by the container that matters most."""
    first = max(containers, key=lambda one: (one.prize_eur, one.level))
    return Explanation(
        level=max(one.level for one in containers),
        p_overflow=max(one.p_overflow for one in containers),
        prize_eur=prize_eur,
        marginal_eur=marginal_eur,
        text=Text(
            _visit_en(first, len(containers), prize_eur, marginal_eur, policy),
            _visit_de(first, len(containers), prize_eur, marginal_eur, policy),
        ),
    )


def _visit_en(
    one: ContainerFacts, count: int, prize_eur: float | None, marginal_eur: float, policy: str
) -> str:
    others = f" (and {count - 1} more)" if count > 1 else ""
    state = f"{one.fraction.en}{others} is {_percent(one.level, one.level_sd, 'en')} full"
    adds = f"the stop adds {_eur(marginal_eur, 'en')} to the tour"
    if not one.prize_eur:
        return f"{state}; due by {policy}; {adds}."
    risk = f"overflows within {one.gap_days:.0f} d with {one.p_overflow:.0%}"
    if prize_eur is None:
        return f"{state} and {risk}, so it has to be emptied today; {adds}."
    if one.on_the_way:
        return (
            f"{state}, not urgent, but on the way: emptying it now saves "
            f"{_eur(one.credit_eur, 'en')} of a later visit; the visit is worth "
            f"{_eur(prize_eur, 'en')}; {adds}."
        )
    return (
        f"{state} and {risk}: waiting costs {_eur(one.waiting_eur, 'en')} and saves "
        f"{one.saved_share:.0%} of a visit, so the visit is worth {_eur(prize_eur, 'en')}; {adds}."
    )


def _visit_de(
    one: ContainerFacts, count: int, prize_eur: float | None, marginal_eur: float, policy: str
) -> str:
    others = f" (und {count - 1} weitere)" if count > 1 else ""
    state = f"{one.fraction.de}{others} ist zu {_percent(one.level, one.level_sd, 'de')} voll"
    adds = f"der Halt kostet die Tour {_eur(marginal_eur, 'de')} zusätzlich"
    if not one.prize_eur:
        return f"{state}; fällig nach {policy}; {adds}."
    risk = f"läuft binnen {one.gap_days:.0f} T mit {one.p_overflow * 100:.0f} % über"
    if prize_eur is None:
        return f"{state} und {risk}, muss also heute geleert werden; {adds}."
    if one.on_the_way:
        return (
            f"{state}, nicht dringend, liegt aber am Weg: die Leerung spart "
            f"{_eur(one.credit_eur, 'de')} einer späteren Anfahrt; der Halt ist "
            f"{_eur(prize_eur, 'de')} wert; {adds}."
        )
    return (
        f"{state} und {risk}: Warten kostet {_eur(one.waiting_eur, 'de')} und spart "
        f"{one.saved_share * 100:.0f} % einer Anfahrt, die Leerung ist also "
        f"{_eur(prize_eur, 'de')} wert; {adds}."
    )


REASONS: dict[Reason, Text] = {
    Reason.NOT_WORTH_IT: Text(
        "serving it would cost more than it is worth",
        "die Leerung würde mehr kosten, als sie wert ist",
    ),
    Reason.CAPACITY: Text("it is more than any truck can carry", "kein Fahrzeug fasst die Menge"),
    Reason.WINDOW: Text(
        "no truck can be there in its hours", "kein Fahrzeug kann in der erlaubten Zeit dort sein"
    ),
    Reason.UNREACHABLE: Text("no road for trucks leads there", "kein Weg für Lkw führt dorthin"),
    Reason.NO_TRUCK: Text(
        "no truck takes its fractions today", "kein Fahrzeug nimmt heute diese Fraktionen"
    ),
    Reason.TIME: Text("the fleet's day is full", "der Tag der Flotte ist voll"),
}


def explain_unserved(
    reason: Reason, prize_eur: float | None, extra_eur: float | None = None
) -> Text:
    """Say why a candidate is not served."""
    text = REASONS[reason]
    en, de = text.en, text.de
    if prize_eur is None:
        en, de = f"due, but {en}", f"fällig, aber {de}"
    elif extra_eur is not None:
        en = f"{en} ({_eur(extra_eur, 'en')} against {_eur(prize_eur, 'en')})"
        de = f"{de} ({_eur(extra_eur, 'de')} gegen {_eur(prize_eur, 'de')})"
    return (
        Text(f"{en}.", f"{_capital(de)}.")
        if prize_eur is None
        else Text(f"{_capital(en)}.", f"{_capital(de)}.")
    )


def explain_waiting(one: ContainerFacts) -> Text:
    """Say why a container was not even a candidate: it is not due."""
    level_en, level_de = (_percent(one.level, one.level_sd, language) for language in ("en", "de"))
    if one.joins:
        return Text(
            f"{level_en} full; worth {_eur(one.prize_eur, 'en')}, less than the stop alone costs.",
            f"Zu {level_de} voll; {_eur(one.prize_eur, 'de')} wert, weniger als der Halt kostet.",
        )
    if not one.prize_eur:
        return Text(f"{level_en} full; not due.", f"Zu {level_de} voll; nicht fällig.")
    return Text(
        f"{level_en} full, overflows within {one.gap_days:.0f} d with {one.p_overflow:.0%}: not "
        f"due, emptying is worth {_eur(one.prize_eur, 'en')} and costs "
        f"{_eur(one.handling_eur, 'en')} at the site alone.",
        f"Zu {level_de} voll, läuft binnen {one.gap_days:.0f} T mit {one.p_overflow * 100:.0f} % "
        f"über: nicht fällig, die Leerung ist {_eur(one.prize_eur, 'de')} wert und kostet allein "
        f"am Standort {_eur(one.handling_eur, 'de')}.",
    )


def _percent(level: float, sd: float, language: Language) -> str:
    unit = "%" if language == "en" else " %"
    return f"{level * 100:.0f}{unit} ±{sd * 100:.0f}"


def _eur(amount: float, language: Language) -> str:
    if language == "en":
        return f"€{amount:,.2f}"
    return f"{amount:,.2f} €".replace(",", "_").replace(".", ",").replace("_", ".")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
