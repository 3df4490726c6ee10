"""The certificate on paper: lines for a terminal, one HTML file that opens and prints anywhere."""

from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files

from config.law import Language
from optimizer.certify.certificate import Certificate, grouped
from optimizer.explain import Text

TEMPLATE = "templates/certificate.html.j2"
LEGAL = Text("no rule broken", "keine Regel verletzt")
NOT_LEGAL = Text("not legal", "nicht zulässig")
PARTLY = Text("no rule broken, of those judged", "keine der geprüften Regeln verletzt")


def verdict(certificate: Certificate, language: Language) -> str:
    """Return the verdict in some words; a plan that was not judged whole is not called legal."""
    legal = PARTLY if certificate.not_judged else LEGAL
    return str(getattr(legal if certificate.legal else NOT_LEGAL, language))


def lines(certificate: Certificate, language: Language) -> Iterator[str]:
    """Yield what a terminal shows: one line for each violation, the verdict last."""
    law = certificate.law
    german = language == "de"
    for one in certificate.findings:
        note = ("Hinweis: " if german else "note: ") if one.note else ""
        line = (f"Zeile {one.line}: " if german else f"line {one.line}: ") if one.line else ""
        yield f"{note}{law[one.rule].citation}: {line}{certificate.message(one, language)}"
    for rule, needs, tours in grouped(certificate.not_judged, law, language):
        head = "nicht geprüft: braucht" if german else "not judged: needs"
        yield f"{head} {needs}: {rule.citation} ({rule.text(language)}); {_some(tours)}"
    for why, (citations, names) in _exempt(certificate, language).items():
        head = "gilt nicht" if german else "does not apply"
        yield f"{head}: {', '.join(citations)}: {why}; {_some([*names])}"
    if certificate.plan.unused:
        head = "nicht verwendete Spalten" if german else "columns that are not used"
        yield f"{head}: {', '.join(certificate.plan.unused)}"
    yield roads(certificate, language)
    yield f"{verdict(certificate, language)}: {counts(certificate, language)}"


def _exempt(
    certificate: Certificate, language: Language
) -> dict[str, tuple[dict[str, None], dict[str, None]]]:
    """Return citations and tours by the reason for which rules do not apply, each once."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for rule, why, tours in grouped(certificate.not_applied, certificate.law, language):
        citations, names = found.setdefault(why, ({}, {}))
        citations[rule.citation] = None
        names.update(dict.fromkeys(tours))
    return found


def counts(certificate: Certificate, language: Language) -> str:
    """Return how much was judged."""
    rules = len(certificate.judged)
    unjudged = len({one.rule for one in certificate.not_judged})
    tours, stops = len(certificate.plan.tours), certificate.stops
    violations = len(certificate.violations)
    if language == "de":
        return (
            f"Verstöße: {violations}, Touren: {tours}, Leerungshalte: {stops}, "
            f"geprüfte Regeln: {rules}, nicht oder nicht ganz geprüft: {unjudged}"
        )
    return (
        f"violations: {violations}, tours: {tours}, collections: {stops}, "
        f"rules judged: {rules}, not or not wholly judged: {unjudged}"
    )


def roads(certificate: Certificate, language: Language) -> str:
    """Say where travel times come from."""
    info = certificate.roads
    if info is None:
        en, de = "travel times were not judged", "Fahrzeiten wurden nicht geprüft"
    elif info.estimate:
        en = "travel times are estimates from straight lines"
        de = "Fahrzeiten sind aus Luftlinien geschätzt"
    else:
        en = f"travel times: {info.name} {info.version}, {info.graph_hash}"
        de = f"Fahrzeiten: {info.name} {info.version}, {info.graph_hash}"
    credit = f" ({info.attribution})" if info and info.attribution else ""
    return (de if language == "de" else en) + credit


def html(certificate: Certificate, language: Language, at: datetime, version: str) -> str:
    """Return the certificate as one HTML file without anything from outside.

    Args:
        certificate: what was found.
        language: of its words.
        at: when it was judged.
        version: of binround.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = files("optimizer.certify").joinpath(TEMPLATE).read_text(encoding="utf-8")
    law = certificate.law
    return environment.from_string(source).render(
        certificate=certificate,
        german=language == "de",
        language=language,
        at=at.astimezone(certificate.region.time_zone),
        version=version,
        verdict=verdict(certificate, language),
        counts=counts(certificate, language),
        roads=roads(certificate, language),
        rule=law.__getitem__,
        not_judged=grouped(certificate.not_judged, law, language),
        not_applied=grouped(certificate.not_applied, law, language),
        some=_some,
    )


def _some(tours: list[str]) -> str:
    """Name tours, the first ones of many."""
    return ", ".join(tours[:4]) + (f", … ({len(tours)})" if len(tours) > 4 else "")
