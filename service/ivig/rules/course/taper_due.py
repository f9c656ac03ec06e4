"""The same dose for long in a stable patient: a taper could be tried.

What it checks    In diseases in which the lowest effective dose is sought: whether the grams of each cycle were the same
                  (within a tolerance) for a year, at the same interval, and no scale got worse by a meaningful change.
Why it matters    Many stay well on less, or at longer intervals; need is only seen by trying.
Example           CIDP: 70 g every three weeks for 14 months, INCAT 3 throughout.
Does not cover    A taper that was tried, or is ordered now (another dose or a longer interval); replacement in
                  immunodeficiency, which follows IgG and infections.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication
from ivig.core.facts.dose import Kilos
from ivig.core.facts.history import Given
from ivig.core.facts.response import input_of
from ivig.core.facts.steady import Steady
from ivig.core.facts.treatment import Cycle
from ivig.core.finding import INFORMATION, Finding, Input, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="course-taper-due",
    severity=INFORMATION,
    says="{dose} {unit} a cycle unchanged since {since}, for {months} months or more, and no scale worse",
    consider="Consider a smaller dose or a longer interval, one step at a time, with the same scale measured before and "
    "after; return to the dose that held when it gets worse.",
)


def concerns(indication: Indication, given: Seen[Given]) -> bool:
    return indication.taper is not None and indication.taper.word == "yes" and bool(given.items or given.lacking)


def check(order: Order, steady: Seen[Steady], kilos: Kilos, indication: Indication, book: Book) -> Iterator[Finding]:
    for same in steady.items:
        scores = tuple(input_of(r, book) for pair in same.compared for r in pair)
        given = tuple(
            Input("cycle", f"{plain(c.grams)} g", c.first.isoformat(), c.path)
            for c in (same.cycles[0], same.cycles[-1])
            if c.grams is not None
        )
        now = same.ordered.amounts or (same.ordered.amount,) if same.ordered is not None else ()
        ordered = tuple(Input("ordered dose", a.said, "", a.path) for a in now)
        yield rule.finding(
            at=(order.path, *dict.fromkeys((same.cycles[0].path, same.cycles[-1].path, *(i.path for i in scores)))),
            sums=(
                *_ordered(same, kilos),
                f"{len(same.cycles)} cycles since {same.since.first}, all within {plain(same.tolerance.number)}%",
            ),
            inputs=(*ordered, *given, *scores),
            cites=(*((indication.taper,) if indication.taper else ()), same.months, same.tolerance),
            assumed=() if scores else ("No scale was measured twice in this time: stable is taken for granted.",),
            dose=same.dose,
            unit=same.unit,
            since=same.since.first,
            months=same.months.number,
        )


def _ordered(same: Steady, kilos: Kilos) -> tuple[str, ...]:
    """How the ordered dose becomes one of a cycle."""
    if same.ordered is None:
        return ()
    grams = same.ordered.unit != same.unit and kilos.kg is not None
    into = f"; x {plain(kilos.kg)} kg = {plain(same.dose)} g" if grams and kilos.kg is not None else ""
    return (f"Ordered: {same.ordered.sum}{into}",)


def content(treatment: Seen[Cycle], book: Book) -> str:
    """Since when there has been treatment."""
    months = plain(book.policy("course.taper_months").number)
    if not treatment.items:
        return ""
    begun = f"{len(treatment.items)} cycle(s) on record since {treatment.items[0].first}"
    return f"{begun}; looked for is one dose and interval for {months} months, with no scale worse"
