"""`binround check --region`: verdicts, exit codes, languages, JSON and the printed certificate."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import build
from config.errors import BinroundError
from config.law import load_law
from config.region import RuleProfile
from optimizer.certify import certify
from optimizer.certify.judge import RULES
from optimizer.daily import rules as daily
from optimizer.model import TimeWindow
from tests.conftest import ROOT
from tests.fixtures.certify import day_out, household, judged
from tests.unit.test_certify_files import FOREIGN

PAGE = (ROOT / "docs" / "certificate.md").read_text(encoding="utf-8")


def check(*arguments: str) -> tuple[int, str]:
    """Run the command with estimated travel times."""
    done = CliRunner().invoke(
        build("check"), ["check", "--region", "example", *arguments, "--estimate"]
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


@pytest.fixture
def legal(tmp_path: Path) -> Path:
    """The plan of the documentation."""
    block = re.search(r"```csv plan\n(.*?)```", PAGE, re.DOTALL)
    assert block
    path = tmp_path / "plan.csv"
    path.write_text(block[1], encoding="utf-8")
    return path


def test_the_documented_plan_is_legal(legal: Path) -> None:
    """The page's example breaks nothing."""
    code, told = check(str(legal))
    assert code == 0
    assert told.splitlines()[-1].startswith("no rule broken, of those judged: violations: 0")


def test_the_documented_output_is_the_real_one() -> None:
    """What the page shows for the foreign plan is what is printed."""
    code, told = check(str(FOREIGN))
    assert code == 1
    assert told in PAGE


def test_german() -> None:
    """The same in German."""
    _, told = check(str(FOREIGN), "--lang", "de")
    assert (
        "DGUV Regel 114-601: Zeile 4: Tour truck-1: Rückwärtsfahrt an s004 ohne Einweiser" in told
    )
    assert "nicht zulässig: Verstöße: 2, Touren: 1" in told


def test_for_programs() -> None:
    """Rule, citation, tour, stop, line, value and limit of each violation, and what is open."""
    code, told = check(str(FOREIGN), "--json")
    found = json.loads(told)
    assert code == 1
    assert not found["legal"]
    assert found["violations"][0] == {
        "rule": "reversing", "citation": "DGUV Regel 114-601", "tour": "truck-1", "stop": "s004",
        "line": 4, "value": None, "limit": None, "unit": "",
        "message": "tour truck-1: reverses at s004 without a banksman",
    }  # fmt: skip
    assert {one["rule"] for one in found["not_judged"]} == {
        "daily-rest",
        "driving-week",
        "reversing-far",
    }
    assert found["unused_columns"] == ["Disponent"]
    assert found["roads"]["estimate"]
    assert re.fullmatch(r"[0-9a-f]{64}", found["plan"]["sha256"])


def test_the_printed_certificate(tmp_path: Path) -> None:
    """One file with verdict, findings, what is open and all hashes; nothing from outside."""
    out = tmp_path / "certificate.html"
    check(str(FOREIGN), "--out", str(out), "--lang", "de")
    page = out.read_text(encoding="utf-8")
    facts = json.loads(check(str(FOREIGN), "--json")[1])
    assert "nicht zulässig" in page
    assert "Rückwärtsfahrt an s004 ohne Einweiser" in page
    assert "Nicht oder nicht ganz geprüft" in page
    for digest in (facts["plan"]["sha256"], facts["region"]["sha256"], facts["law_sha256"]):
        assert digest in page
    assert not re.search(r"(src|href)=", page)


def test_markup_in_a_plan_stays_text(tmp_path: Path, legal: Path) -> None:
    """A foreign file cannot put anything into the page."""
    legal.write_text(legal.read_text().replace("s004", "<script>x</script>"))
    out = tmp_path / "certificate.html"
    check(str(legal), "--out", str(out))
    assert "<script>" not in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["PLAN", "PLAN"], "--region judges one plan; leave the problem out"),
        (["PLAN", "--date", "24.11."], "--date '24.11.' is no day; write it as 2026-11-24"),
        (["PLAN", "--out", "c.pdf"], "a certificate is HTML; let its name end with .html"),
        (["away.csv"], "away.csv: cannot be read"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], told: str, legal: Path) -> None:
    """And ends with 2."""
    with pytest.raises(BinroundError) as refused:
        check(*(str(legal) if one == "PLAN" else one for one in arguments))
    assert told in str(refused.value)
    assert refused.value.exit_code == 2


def test_without_a_region_two_files_are_needed(legal: Path) -> None:
    """The other form of the command is named."""
    done = CliRunner().invoke(build("check"), ["check", str(legal)])
    assert "which plan? Give PROBLEM PLAN, or --region NAME PLAN" in str(done.exception)


def test_facts_of_the_region_change_its_hash() -> None:
    """A certificate tells by which facts it was judged."""
    tour = day_out("07:00", "09:00")
    assert judged(tour).region_digest == judged(tour).region_digest
    assert judged(tour).region_digest != judged(tour, region=household()).region_digest


class TestLaw:
    def test_every_rule_is_judged_and_every_judged_rule_is_law(self) -> None:
        """No paragraph stands in the table without being looked at, and none is made up."""
        judges = [name for rule in RULES for name in rule.rules]
        assert sorted(judges) == sorted(load_law().rules)

    def test_every_text_is_there_in_both_languages(self) -> None:
        """Both messages name the same facts."""
        for rule in load_law().rules.values():
            for one, other in ((rule.message_en, rule.message_de), (rule.note_en, rule.note_de)):
                names = [set(re.findall(r"\{(\w+)\}", text)) for text in (one, other)]
                assert names[0] == names[1], rule.id

    def test_plans_are_made_by_the_same_figures(self) -> None:
        """What the planner keeps is what the certificate demands."""
        law = load_law()
        assert law.limit("work-day", "limit_s") == daily.WORK_S
        assert law.limit("work-stretch", "limit_s") == daily.STRETCH_S
        assert law.limit("work-break", "long_day_s") == daily.LONG_DAY_S
        assert law.limit("work-break", "short_break_s") == daily.HALF_HOUR_S
        assert law.limit("work-break", "long_break_s") == daily.THREE_QUARTERS_S
        long = daily.day_rules(RuleProfile.EU561, TimeWindow(0, 12 * 3600))
        assert law.limit("driving-break", "limit_s") == long.max_driving_between_breaks_s
        assert law.limit("driving-day", "limit_s") == long.max_driving_s


def test_judging_needs_no_roads() -> None:
    """Without travel times the rest is judged all the same."""
    certificate = certify(judged(day_out("07:00", "09:00")).plan, household())
    assert certificate.roads is None
    assert "noise-night" in {rule.id for rule in certificate.judged}
