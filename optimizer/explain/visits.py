"""Why a site is visited, in euro, and what would change that."""

from dataclasses import dataclass

from optimizer.explain.text import NOTHING, Text, eur, level, money, share

BY_DAYS_TO_COME = "horizon"  # the policy that prices today against later tours


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
        marginal_eur: what the visit adds to its tour, judged with it and without it.
        turns_at: level of its decisive container, all else as it is, below which the site
            would be left for another day; None where that is not known, 0 where it is visited
            whatever that container's level.
        text: a sentence, and another on what would change the decision.
    """

    level: float
    p_overflow: float
    prize_eur: float | None
    marginal_eur: float
    turns_at: float | None
    text: Text


def explain_visit(
    containers: tuple[ContainerFacts, ...],
    prize_eur: float | None,
    marginal_eur: float,
    policy: str,
    turns_at: float | None = None,
) -> Explanation:
    """Explain a visit by the container that matters most."""
    first = decisive(containers)
    why = Text(
        _visit_en(first, len(containers), prize_eur, marginal_eur, policy),
        _visit_de(first, len(containers), prize_eur, marginal_eur, policy),
    )
    return Explanation(
        level=max(one.level for one in containers),
        p_overflow=max(one.p_overflow for one in containers),
        prize_eur=prize_eur,
        marginal_eur=marginal_eur,
        turns_at=turns_at,
        text=why + _would_wait(prize_eur if first.prize_eur else None, turns_at),
    )


def decisive(containers: tuple[ContainerFacts, ...]) -> ContainerFacts:
    """Return the container that a site is visited for."""
    return max(containers, key=lambda one: (one.prize_eur, one.level))


def _would_wait(prize_eur: float | None, turns_at: float | None) -> Text:
    """Say what would change the decision to visit a site; `prize_eur` where that decides."""
    ways = []
    if turns_at:
        ways.append(share(turns_at).within("below {} full", "unter {} Füllung"))
    if prize_eur is not None:
        ways.append(
            money(prize_eur).within(
                "if the stop cost more than {}", "ab einem Halt von mehr als {}"
            )
        )
    if not ways:
        return NOTHING
    joined = Text(" or ".join(way.en for way in ways), " oder ".join(way.de for way in ways))
    return joined.within("It would wait {}.", "Warten würde er {}.")


def _visit_en(
    one: ContainerFacts, count: int, prize_eur: float | None, marginal_eur: float, policy: str
) -> str:
    others = f" (and {count - 1} more)" if count > 1 else ""
    state = f"{one.fraction.en}{others} is {level(one.level, one.level_sd, 'en')} full"
    adds = f"the stop adds {eur(marginal_eur, 'en')} to the tour"
    if not one.prize_eur:
        return f"{state}; due by {policy}; {adds}."
    risk = f"overflows within {one.gap_days:.0f} d with {one.p_overflow:.0%}"
    if prize_eur is None:
        return f"{state} and {risk}, so it has to be emptied today; {adds}."
    if policy == BY_DAYS_TO_COME:
        return (
            f"{state} and {risk}: waiting costs {eur(one.waiting_eur, 'en')}; against the tours of "
            f"the days to come the visit is worth {eur(prize_eur, 'en')} today; {adds}."
        )
    if one.on_the_way:
        return (
            f"{state}, not urgent, but on the way: emptying it now saves "
            f"{eur(one.credit_eur, 'en')} of a later visit; the visit is worth "
            f"{eur(prize_eur, 'en')}; {adds}."
        )
    return (
        f"{state} and {risk}: waiting costs {eur(one.waiting_eur, 'en')} and saves "
        f"{one.saved_share:.0%} of a visit, so the visit is worth {eur(prize_eur, 'en')}; {adds}."
    )


def _visit_de(
    one: ContainerFacts, count: int, prize_eur: float | None, marginal_eur: float, policy: str
) -> str:
    others = f" (und {count - 1} weitere)" if count > 1 else ""
    state = f"{one.fraction.de}{others} ist zu {level(one.level, one.level_sd, 'de')} voll"
    adds = f"der Halt kostet die Tour {eur(marginal_eur, 'de')} zusätzlich"
    if not one.prize_eur:
        return f"{state}; fällig nach {policy}; {adds}."
    risk = f"läuft binnen {one.gap_days:.0f} T mit {one.p_overflow * 100:.0f} % über"
    if prize_eur is None:
        return f"{state} und {risk}, muss also heute geleert werden; {adds}."
    if policy == BY_DAYS_TO_COME:
        return (
            f"{state} und {risk}: Warten kostet {eur(one.waiting_eur, 'de')}; gegenüber den Touren "
            f"der nächsten Tage ist der Halt heute {eur(prize_eur, 'de')} wert; {adds}."
        )
    if one.on_the_way:
        return (
            f"{state}, nicht dringend, liegt aber am Weg: die Leerung spart "
            f"{eur(one.credit_eur, 'de')} einer späteren Anfahrt; der Halt ist "
            f"{eur(prize_eur, 'de')} wert; {adds}."
        )
    return (
        f"{state} und {risk}: Warten kostet {eur(one.waiting_eur, 'de')} und spart "
        f"{one.saved_share * 100:.0f} % einer Anfahrt, die Leerung ist also "
        f"{eur(prize_eur, 'de')} wert; {adds}."
    )
