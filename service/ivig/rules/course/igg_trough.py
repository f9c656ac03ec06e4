"""IgG under replacement is low, or was not measured for long.

What it checks    In primary and secondary immunodeficiency under treatment: the newest IgG, whether it is recent, and
                  whether a level taken since the first infusion lies below the trough that is aimed at.
Why it matters    The dose is set by infections and the trough; a low one leaves the patient unprotected.
Example           CVID on 35 g every four weeks, IgG 420 mg/dL before the last infusion; at least 500.
Does not cover    A first course; levels from before treatment, which are low by nature; whether the blood was drawn
                  just before a dose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from ivig.core.book import Book, Indication
from ivig.core.facts.baseline import is_below
from ivig.core.facts.chart import unanswered
from ivig.core.facts.labs import lab_input, newest
from ivig.core.facts.treatment import Cycle, months_back
from ivig.core.finding import INFORMATION, Absent, Finding, Measure
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="course-igg-trough",
    severity=INFORMATION,
    says="IgG {igg} on {day}; a trough of {limit} mg/dL or more is aimed at",
    consider="Consider an IgG trough just before the next dose, and the dose and interval in the light of it and of the "
    "infections since; the trough alone should not decide about access to treatment.",
)

_MISSED = "No IgG in the {months} months before the first dose; the last one is of {day}"
_NEVER = "No IgG on record under replacement; a trough is looked for every {months} months"
_OPEN = "IgG {igg} on {day} may lie below the trough of {limit} mg/dL that is aimed at"


def concerns(order: Order, indication: Indication, results: dict[str, tuple[Result, ...]], book: Book) -> Maybe[bool]:
    if indication.key not in book.policy("course.igg_followed").words:
        return False
    failed = () if "igg" in results else unanswered(order, "igg")
    return Absent(failed) if failed else True


def check(
    order: Order, treatment: Seen[Cycle], results: dict[str, tuple[Result, ...]], first_day: date, book: Book
) -> Iterator[Finding]:
    if not treatment.items:
        return
    months, limit = book.policy("course.igg_months"), book.policy("course.igg_trough_mg_dl")
    igg = newest(results, "igg")
    if igg is None or igg.when is None or igg.value is None or igg.when.day < months_back(first_day, months.number):
        yield rule.finding(
            at=(order.path, *((igg.path,) if igg is not None else ())),
            says=_NEVER if igg is None else _MISSED,
            inputs=(lab_input(igg, book),) if igg is not None else (),
            cites=(months,),
            months=months.number,
            day=igg.when.day if igg is not None and igg.when is not None else "",
        )
        return
    below = is_below(igg.value, igg.comparator, limit.number)
    if below is False or igg.when.day <= treatment.items[0].first:
        return
    yield rule.finding(
        at=(order.path, igg.path),
        says=None if below else _OPEN,
        inputs=(lab_input(igg, book),),
        cites=(limit,),
        measure=Measure("mg/dL", igg.value, limit.number, None, limit.source) if below else None,
        igg=igg.said,
        day=igg.when.day,
        limit=limit.number,
    )


def content(results: dict[str, tuple[Result, ...]], book: Book) -> str:
    igg = newest(results, "igg")
    aim = book.policy("course.igg_trough_mg_dl").amount or Decimal(0)
    return "" if igg is None or igg.when is None else f"IgG {igg.said} on {igg.when.day}, aim {aim} mg/dL or more"
