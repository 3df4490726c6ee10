"""Why a container is not emptied, what it would have cost, and what would change that."""

from optimizer.explain.text import (
    LANGUAGES,
    NOTHING,
    Text,
    capital,
    duration,
    eur,
    level,
    money,
    number,
    share,
)
from optimizer.explain.visits import ContainerFacts
from optimizer.model import Reason

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
    reason: Reason,
    prize_eur: float | None,
    extra_eur: float | None = None,
    short: float | None = None,
    turns_at: float | None = None,
) -> Text:
    """Say why a candidate is not served, and what would change that.

    Args:
        reason: why.
        prize_eur: what the visit is worth; None for a mandatory one.
        extra_eur: what it would have added.
        short: by how much a limit is too small; see `optimizer.model.Unserved`.
        turns_at: level of its decisive container from which it would be served.
    """
    why = REASONS[reason]
    if reason is Reason.NOT_WORTH_IT and prize_eur is not None and extra_eur is not None:
        against = Text(
            f"{eur(extra_eur, 'en')} against {eur(prize_eur, 'en')}",
            f"{eur(extra_eur, 'de')} gegen {eur(prize_eur, 'de')}",
        )
        why = Text(f"{why.en} ({against.en})", f"{why.de} ({against.de})")
    if prize_eur is None:
        said = Text(f"due, but {why.en}.", f"{capital(f'fällig, aber {why.de}')}.")
    else:
        said = Text(f"{capital(why.en)}.", f"{capital(why.de)}.")
    return said + _what_it_took(reason, extra_eur, short) + _would_be_served(turns_at)


_MISSING = {
    Reason.TIME: ("It would take {} more of a truck's time", "Es fehlen {} Fahrzeugzeit"),
    Reason.WINDOW: ("A truck could be there {} off its hours", "Ein Fahrzeug käme {} außerhalb"),
    Reason.CAPACITY: ("It is {} too much", "Es sind {} zu viel"),
}


def _what_it_took(reason: Reason, extra_eur: float | None, short: float | None) -> Text:
    """Say by how much a limit is too small, and what serving it without it would have cost."""
    if reason not in _MISSING or extra_eur is None:
        return NOTHING
    cost = money(extra_eur)
    if not short:
        return cost.within("It would have cost {}.", "Gekostet hätte es {}.")
    if reason is Reason.CAPACITY:
        amount = number(short).within("{} kg", "{} kg")
    else:
        amount = duration(max(short, 60.0))
    missing = amount.within(*_MISSING[reason])
    return Text(f"{missing.en}, for {cost.en}.", f"{missing.de}, für {cost.de}.")


def _would_be_served(turns_at: float | None) -> Text:
    if not turns_at:
        return NOTHING
    return share(turns_at).within(
        "It would be collected from {} full.", "Geleert würde er ab {} Füllung."
    )


def explain_waiting(
    one: ContainerFacts, cost_eur: float | None = None, turns_at: float | None = None
) -> Text:
    """Say why a container was not even a candidate: it is not due.

    Args:
        one: what is believed of it.
        cost_eur: what emptying it in the finished plan would add.
        turns_at: the level from which it would be emptied.
    """
    change = _would_be_served(turns_at)
    if cost_eur is not None:
        change = (
            money(cost_eur).within(
                "Emptying it today would add {} to the tours.",
                "Die Leerung heute würde die Touren {} zusätzlich kosten.",
            )
            + change
        )
    return _not_due(one) + change


def _not_due(one: ContainerFacts) -> Text:
    level_en, level_de = (level(one.level, one.level_sd, language) for language in LANGUAGES)
    if one.joins:
        return Text(
            f"{level_en} full; worth {eur(one.prize_eur, 'en')}, less than the stop alone costs.",
            f"Zu {level_de} voll; {eur(one.prize_eur, 'de')} wert, weniger als der Halt kostet.",
        )
    if not one.prize_eur:
        return Text(f"{level_en} full; not due.", f"Zu {level_de} voll; nicht fällig.")
    return Text(
        f"{level_en} full, overflows within {one.gap_days:.0f} d with {one.p_overflow:.0%}: not "
        f"due, emptying is worth {eur(one.prize_eur, 'en')} and costs "
        f"{eur(one.handling_eur, 'en')} at the site alone.",
        f"Zu {level_de} voll, läuft binnen {one.gap_days:.0f} T mit {one.p_overflow * 100:.0f} % "
        f"über: nicht fällig, die Leerung ist {eur(one.prize_eur, 'de')} wert und kostet allein "
        f"am Standort {eur(one.handling_eur, 'de')}.",
    )
