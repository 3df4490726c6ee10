"""Every decision can be told in a sentence, in two languages and in euro."""

import dataclasses

import pytest

from optimizer.explain import (
    ContainerFacts,
    Text,
    explain_unserved,
    explain_visit,
    explain_waiting,
)
from optimizer.model import Reason

GREEN = ContainerFacts(
    id="c1",
    fraction=Text("Green glass", "Grünglas"),
    level=0.93,
    level_sd=0.04,
    p_overflow=0.44,
    waiting_eur=8.0,
    saved_share=0.06,
    prize_eur=133.33,
    credit_eur=10.0,
    handling_eur=3.1,
    joins=True,
    gap_days=1.0,
    reading=0.91,
)


def test_a_visit_is_told_by_what_waiting_costs() -> None:
    """Level, risk, the price of waiting, what it saves, the prize, and what the stop adds."""
    told = explain_visit((GREEN,), 133.33, 12.5, "risk-priced", 0.74).text
    assert told.en == (
        "Green glass is 93% ±4 full and overflows within 1 d with 44%: waiting costs €8.00 and "
        "saves 6% of a visit, so the visit is worth €133.33; the stop adds €12.50 to the tour. "
        "It would wait below 74% full or if the stop cost more than €133.33."
    )
    assert told.de == (
        "Grünglas ist zu 93 % ±4 voll und läuft binnen 1 T mit 44 % über: Warten kostet 8,00 € "
        "und spart 6 % einer Anfahrt, die Leerung ist also 133,33 € wert; der Halt kostet die "
        "Tour 12,50 € zusätzlich. Warten würde er unter 74 % Füllung oder ab einem Halt von mehr "
        "als 133,33 €."
    )


def test_a_visit_is_told_by_the_container_that_matters_most() -> None:
    """Of several containers the dearest is named, the others are counted."""
    calm = dataclasses.replace(GREEN, id="c2", fraction=Text("Brown", "Braun"), prize_eur=4.0)
    told = explain_visit((calm, GREEN), 137.33, 12.5, "risk-priced")
    assert told.text.en.startswith("Green glass (and 1 more)")
    assert told.p_overflow == 0.44


def test_what_must_be_is_told_so() -> None:
    """A mandatory visit names no prize."""
    sure = dataclasses.replace(GREEN, p_overflow=0.995)
    assert "has to be emptied today" in explain_visit((sure,), None, 9.0, "risk-priced").text.en


def test_a_stop_on_the_way_is_told_so() -> None:
    """What is emptied without danger saves a part of a later visit, and says how much."""
    calm = dataclasses.replace(GREEN, level=0.7, prize_eur=6.0, credit_eur=6.0)
    told = explain_visit((calm,), 6.0, 4.1, "risk-priced").text
    assert "not urgent, but on the way: emptying it now saves €6.00 of a later visit" in told.en
    assert "liegt aber am Weg: die Leerung spart 6,00 € einer späteren Anfahrt" in told.de


def test_a_policy_without_prices_is_named() -> None:
    """A calendar's visit is due by the calendar."""
    due = dataclasses.replace(GREEN, prize_eur=0.0)
    told = explain_visit((due,), None, 9.0, "calendar-10").text
    assert "due by calendar-10" in told.en
    assert "fällig nach calendar-10" in told.de


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_told(reason: Reason) -> None:
    """Nothing is left out without a sentence, in both languages, due or not."""
    for prize in (None, 50.0):
        told = explain_unserved(reason, prize)
        assert told.en.endswith(".")
        assert told.de.endswith(".")
        assert told.en != told.de


def test_what_is_not_worth_it_says_the_two_figures() -> None:
    """A dispatcher sees what it would cost and what it is worth."""
    told = explain_unserved(Reason.NOT_WORTH_IT, 18.0, 1234.5)
    assert "(€1,234.50 against €18.00)" in told.en
    assert "(1.234,50 € gegen 18,00 €)" in told.de


def test_waiting_is_told() -> None:
    """Not due, not its turn, or not worth the stop: each says so."""
    calm = dataclasses.replace(GREEN, joins=False, prize_eur=1.2)
    assert "not due" in explain_waiting(calm).en
    assert "less than the stop alone costs" in explain_waiting(GREEN).en
    other = dataclasses.replace(GREEN, joins=False, prize_eur=0.0)
    assert explain_waiting(other).en == "93% ±4 full; not due."
