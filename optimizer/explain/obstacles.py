"""What no plan of a day can do, in words."""

from optimizer.explain.text import Text, duration, number
from optimizer.explain.unserved import REASONS
from optimizer.model import Reason
from optimizer.solve.feasibility import Measure, Obstacle

_DAY_S = 86_400


def explain_obstacle(one: Obstacle) -> Text:
    """Say what stands in the way of a visit, or of a whole day, with its figures."""
    return _of_fleet(one) if one.fleet else _of_visit(one)


def _of_visit(one: Obstacle) -> Text:
    why = REASONS[one.reason]
    figures = _figures(one)
    name = one.visits[0]
    return Text(
        f"{name}: {why.en}{figures.en}.",
        f"{name}: {why.de}{figures.de}.",
    )


def _figures(one: Obstacle) -> Text:
    if one.what:
        return Text(f" ({one.what})", f" ({one.what})")
    if one.needed is None or one.available is None:
        return Text("", "")
    needed, available = _amount(one.needed, one.measure), _amount(one.available, one.measure)
    if one.measure is Measure.INSTANT:
        if one.needed <= one.available:  # there in time, but not back
            return Text("", "")
        return Text(
            f" (there at {needed.en} at the earliest, has to be by {available.en})",
            f" (frühestens {needed.de} dort, spätestens {available.de} erlaubt)",
        )
    return Text(
        f" (needs {needed.en}, at most {available.en})",
        f" (braucht {needed.de}, höchstens {available.de})",
    )


def _of_fleet(one: Obstacle) -> Text:
    count = len(one.visits)
    if one.reason is Reason.NO_TRUCK or one.needed is None or one.available is None:
        return Text(f"{count} visits, and no truck.", f"{count} Halte und kein Fahrzeug.")
    needed, available = _amount(one.needed, one.measure), _amount(one.available, one.measure)
    which_en = f"The {count} mandatory visits" if one.mandatory else f"All {count} visits together"
    which_de = f"Die {count} fälligen Halte" if one.mandatory else f"Alle {count} Halte zusammen"
    if one.reason is Reason.TIME:
        return Text(
            f"{which_en} take {needed.en} at least, the trucks' shifts have {available.en}: "
            "some will be left out.",
            f"{which_de} dauern mindestens {needed.de}, die Schichten haben {available.de}: "
            "einige bleiben stehen.",
        )
    return Text(
        f"{which_en} are {needed.en}, the trucks carry {available.en} in all trips of a day: "
        "some will be left out.",
        f"{which_de} sind {needed.de}, die Fahrzeuge fassen {available.de} in allen Fuhren eines "
        "Tages: einige bleiben stehen.",
    )


def _amount(value: float, measure: Measure) -> Text:
    match measure:
        case Measure.SECONDS:
            return duration(value)
        case Measure.INSTANT:
            minutes = round(value % _DAY_S / 60)
            text = f"{minutes // 60:02d}:{minutes % 60:02d}"
            return Text(text, text)
        case Measure.LITRES:
            return number(value).within("{} litres", "{} Liter")
        case _:
            return number(value).within("{} kg", "{} kg")
