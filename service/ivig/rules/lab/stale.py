"""A baseline test that is too old for the first planned dose.

What it checks    Days from the newest haemoglobin, platelets, creatinine (or eGFR) and liver test to the first planned
                  dose, against the window of a first course, of maintenance, or of maintenance with weak kidneys. In
                  immune thrombocytopenia hours for platelets.
Why it matters    An old creatinine says little about the kidneys that get the dose.
Example           Haemoglobin of 2026-10-20, first dose of a first course 2026-11-20: 31 days, at most 30.
Does not cover    A test without a result (lab-missing).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book, Indication
from ivig.core.facts.baseline import TITLES, LabAge, ages_said, may_be_stale
from ivig.core.facts.labs import Kidney, lab_input
from ivig.core.finding import INFORMATION, WARNING, Finding, Measure, plain
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="lab-stale",
    severity=WARNING,
    says="The newest result of {what} is {age} {unit} old at the first dose; at most {limit} {unit}",
    consider="Consider repeating the test before the first dose.",
)

_UNITS = {"d": "days", "h": "hours"}


def concerns(
    baseline: dict[str, Result | None],
    first_course: bool,
    first_dose: Seen[date],
    indication: Maybe[Indication],
    book: Book,
) -> bool | None:
    return may_be_stale(baseline, first_course, first_dose, indication, book) or None


def check(
    order: Order, stale_labs: Seen[LabAge], first_dose: Seen[date], first_course: bool, urgent: bool, book: Book
) -> Iterator[Finding]:
    for old in stale_labs.items:
        unit, age = _UNITS[old.limit.unit], plain(round(old.age, 1))
        yield rule.finding(
            at=(order.path, old.result.path),
            severity=INFORMATION if old.test == "liver" and (urgent or not first_course) else WARNING,
            sums=(f"{old.result.when.text if old.result.when else ''} to {first_dose.items[0]}: {age} {unit}",),
            inputs=(lab_input(old.result, book),),
            cites=(old.limit,),
            measure=Measure(old.limit.unit, old.age, None, old.limit.number, old.limit.source),
            about=old.test,
            what=TITLES[old.test],
            age=age,
            unit=unit,
            limit=old.limit.number,
        )


def content(
    order: Order,
    baseline: dict[str, Result | None],
    first_course: bool,
    first_dose: Seen[date],
    renal_risk: Seen[Kidney | Condition],
    indication: Maybe[Indication],
    book: Book,
) -> str:
    return ages_said(order, baseline, first_course, first_dose, renal_risk, indication, book)
