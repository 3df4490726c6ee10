"""The certificate of a plan: verdict, violations, and what was not judged."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from config.law import Language, Law, Rule
from config.region import Region
from optimizer.certify.finding import Finding, NotApplied, NotJudged, duration
from optimizer.certify.given import GivenPlan
from optimizer.check.report import clock
from optimizer.explain import Text
from optimizer.road_times import ProviderInfo


@dataclass(frozen=True, eq=False)
class Certificate:
    """What judging a plan has found.

    Attributes:
        roads: where travel times come from; None: they were not judged.
        findings: violations and notes, in the order of the law.
        stops: how many collections there are.
    """

    plan: GivenPlan
    region: Region
    law: Law
    roads: ProviderInfo | None
    findings: tuple[Finding, ...]
    not_judged: tuple[NotJudged, ...]
    not_applied: tuple[NotApplied, ...]
    stops: int
    driven_s: int

    @cached_property
    def violations(self) -> tuple[Finding, ...]:
        """What breaks a rule."""
        return tuple(one for one in self.findings if not one.note)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is worth knowing and breaks nothing."""
        return tuple(one for one in self.findings if one.note)

    @property
    def legal(self) -> bool:
        """Whether no rule is broken, of those that could be judged."""
        return not self.violations

    @cached_property
    def judged(self) -> tuple[Rule, ...]:
        """The rules that at least one tour was judged by."""
        tours = {tour.name for tour in self.plan.tours}
        left: dict[str, set[str]] = {}
        for rule, tour in [(one.rule, one.tour) for one in self.not_judged] + [
            (one.rule, one.tour) for one in self.not_applied
        ]:
            left.setdefault(rule, set()).add(tour)
        found = {one.rule for one in self.findings}
        return tuple(
            rule
            for name, rule in self.law.rules.items()
            if name in found or tours - left.get(name, set())
        )

    @cached_property
    def region_digest(self) -> str:
        """SHA-256 of the region's facts; where its files lie is none of them."""
        facts = self.region.model_dump(mode="json", exclude={"sources", "retention"})
        if facts["roads"].get("extract"):
            facts["roads"]["extract"] = Path(facts["roads"]["extract"]).name
        text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def message(self, finding: Finding, language: Language) -> str:
        """Return a finding as a sentence."""
        rule = self.law[finding.rule]
        facts = {
            name: getattr(told, language) if isinstance(told, Text) else told
            for name, told in finding.facts.items()
        }
        return rule.message(language, note=finding.note).format(
            tour=finding.tour,
            stop=finding.stop or "",
            value=amount(rule, finding.value, language),
            limit=amount(rule, finding.limit, language),
            **facts,
        )


def amount(rule: Rule, value: float | None, language: Language) -> str:
    """Write a value in the unit of its rule."""
    if value is None:
        return ""
    match rule.unit:
        case "duration":
            return duration(value)
        case "clock":
            return clock(value)
        case "kg" | "l" | "m" | "kWh":
            text = f"{round(value, 1):,.10g}"
            if language == "de":
                text = text.translate(str.maketrans(",.", ".,"))
            return f"{text} {rule.unit}"
    return f"{value:g}"


def grouped(
    ones: Iterable[NotJudged | NotApplied], law: Law, language: Language
) -> list[tuple[Rule, str, list[str]]]:
    """Return rule, reason and tours of what was not judged or does not apply."""
    tours: dict[tuple[str, str], list[str]] = {}
    for one in ones:
        text = one.needs if isinstance(one, NotJudged) else one.why
        tours.setdefault((one.rule, getattr(text, language)), []).append(one.tour)
    return [(law[rule], reason, names) for (rule, reason), names in tours.items()]


def document(certificate: Certificate, language: Language) -> Mapping[str, Any]:
    """Return a certificate as JSON values."""
    law = certificate.law

    def finding(one: Finding) -> dict[str, Any]:
        return {
            "rule": one.rule,
            "citation": law[one.rule].citation,
            "tour": one.tour,
            "stop": one.stop,
            "line": one.line,
            "value": one.value,
            "limit": one.limit,
            "unit": law[one.rule].unit,
            "message": certificate.message(one, language),
        }

    roads = certificate.roads
    return {
        "legal": certificate.legal,
        "violations": [finding(one) for one in certificate.violations],
        "notes": [finding(one) for one in certificate.notes],
        "judged": [rule.id for rule in certificate.judged],
        "not_judged": [
            {"rule": rule.id, "citation": rule.citation, "needs": needs, "tours": tours}
            for rule, needs, tours in grouped(certificate.not_judged, law, language)
        ],
        "not_applied": [
            {"rule": rule.id, "citation": rule.citation, "why": why, "tours": tours}
            for rule, why, tours in grouped(certificate.not_applied, law, language)
        ],
        "unused_columns": list(certificate.plan.unused),
        "plan": {
            "file": certificate.plan.source,
            "sha256": certificate.plan.digest,
            "days": sorted({tour.day.isoformat() for tour in certificate.plan.tours}),
            "tours": len(certificate.plan.tours),
            "stops": certificate.stops,
        },
        "region": {"id": certificate.region.id, "sha256": certificate.region_digest},
        "law_sha256": law.digest,
        "roads": {
            "name": roads.name,
            "version": roads.version,
            "graph": roads.graph_hash,
            "estimate": roads.estimate,
        }
        if roads
        else None,
    }
