"""`Report.checked`: every rule with what became of it, and its arithmetic where it was content."""

from __future__ import annotations

from types import ModuleType

import pytest

from bases import BASES
from builder import bundle
from casefiles import all_cases
from ivig.catalogue import RULES
from ivig.core.checked import Outcome, RuleChecked, check_all
from ivig.core.finding import Absent, Report, Result
from ivig.core.judge import Judge
from ivig.core.rule import Rule
from ivig.rules.order import verdict as order_verdict
from ivig.validator import CRASHED
from judged import validator
from r4 import Json
from test_explanation import reported


def checked(base: str, change: Json | None = None) -> dict[str, RuleChecked]:
    (rules,) = reported(bundle(base, change)).checked
    return {one.rule: one for one in rules}


@pytest.mark.parametrize("base", BASES)
def test_every_rule_is_told_of_once_and_in_order(base: str) -> None:
    (rules,) = reported(bundle(base)).checked
    assert [one.rule for one in rules] == [m.rule.name for m in RULES]


@pytest.mark.parametrize("base", BASES)
def test_no_content_falls_over(base: str) -> None:
    grounds = reported(bundle(base)).grounds
    case = grounds.case(0)
    for entry in grounds.judge.entries:
        if entry.content is None or (entry.concerns is not None and not case.ask(entry.concerns)):
            continue
        said = case.ask(entry.content)
        assert isinstance(said, (str, Absent)), entry.rule.name
        assert isinstance(said, Absent) or "\n" not in said, entry.rule.name


def test_what_is_told_agrees_with_the_findings() -> None:
    for case in all_cases():
        report: Report = reported(bundle(case.base, case.change))
        for judgement, rules in zip(report.judgements, report.checked, strict=True):
            said = {f.rule: f for f in judgement.findings if f.code != "exception"}
            lacking = {name for f in judgement.findings for name in f.not_judged}
            for one in rules:
                if one.rule in said:
                    assert one.outcome in (Outcome.FLAGGED, Outcome.CANNOT_TELL, Outcome.NOTE), (case.id, one)
                elif one.rule in lacking:
                    assert one.outcome == Outcome.NOT_JUDGED, (case.id, one)
                    assert one.lacking
                else:
                    assert one.outcome in (Outcome.CONTENT, Outcome.NOT_CONCERNED), (case.id, one)


def test_a_content_rule_shows_its_sum() -> None:
    told = checked("gbs", {"dose": "28 g"})  # 28 x 5 = 140 g / 70 kg = 2 g/kg
    assert told["dose-course-above-range"].outcome == Outcome.CONTENT
    assert "2 g/kg a course, at most 2 (+10%)" in told["dose-course-above-range"].text
    assert "haemoglobin 5 days old, at most 30" in told["lab-stale"].text  # drawn on 2026-11-15, first dose 2026-11-20
    assert told["lab-missing"].outcome == Outcome.CONTENT


def test_no_content_line_contradicts_its_outcome() -> None:
    told = checked("gbs", {"dose": "42 g"})["dose-cumulative-above-limit"]  # one course alone is judged by other rules
    assert told.outcome == Outcome.CONTENT
    assert told.text == "this course alone, nothing to add up: 5 x 42 = 210 g; / 70 kg = 3 g/kg"


def test_a_flagged_rule_shows_what_it_found() -> None:
    one = checked("gbs", {"dose": "31.5 g"})["dose-course-above-range"]
    assert one.outcome == Outcome.FLAGGED
    assert "2.25 g/kg" in one.text


def test_a_rule_that_is_not_judged_says_for_want_of_what() -> None:
    one = checked("gbs", {"weight": "absent"})["dose-course-above-range"]
    assert one.outcome == Outcome.NOT_JUDGED
    assert "weight-missing" in one.text


def test_a_rule_that_does_not_apply_is_not_concerned() -> None:
    assert checked("gbs")["schedule-interval-too-short"].outcome == Outcome.NOT_CONCERNED


def test_where_every_product_agrees_the_rule_is_content() -> None:
    told = checked("gbs", {"product": "immune globulin intravenous", "hcpcs": "absent"})
    assert told["product-not-for-route"].outcome == Outcome.CONTENT


def test_of_an_order_under_the_skin_only_order_and_product_are_checked() -> None:
    told = checked("pid", {"product": "Hizentra 20%", "hcpcs": "J1559", "route": "sc"})
    assert told["order-out-of-scope"].outcome == Outcome.NOTE
    assert told["dose-course-above-range"].outcome == Outcome.NOT_CONCERNED


def _module(name: str, **functions: object) -> ModuleType:
    module = ModuleType(name)
    module.rule = Rule(name=name, severity=order_verdict.rule.severity, says="")  # type: ignore[attr-defined]
    for key, function in functions.items():
        setattr(module, key, function)
    return module


def test_a_content_that_falls_over_leaves_the_report_standing() -> None:
    def check() -> tuple[()]:
        return ()

    def content() -> str:
        raise RuntimeError

    def crash() -> tuple[()]:
        raise RuntimeError

    report = reported(bundle("gbs"))
    order = report.grounds.orders[0]
    rules = (_module("test-content", check=check, content=content), _module("test-crash", check=crash))
    judge = Judge(rules, CRASHED, order_verdict.rule)
    judgement = judge.judge(order, report.grounds.book(0))
    silent, crashed = check_all(judge, report.grounds.case(0), judgement)
    assert (silent.outcome, silent.text) == (Outcome.CONTENT, "")
    assert crashed.outcome == Outcome.NOT_JUDGED
    assert "rule-crashed" in crashed.text


def test_the_validator_tells_it_of_one_order() -> None:
    report = reported(bundle("gbs"))
    assert validator().checked(report.grounds.orders[0]) == report.checked[0]


def test_judging_makes_none_of_it() -> None:
    report = reported(bundle("gbs"))
    assert report.grounds._cases is None
    assert report.grounds._checked is None
    assert all(f.result != Result.FLAGGED for f in report.judgements[0].findings)
