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
from ivig.core.facts.history import Given
from ivig.core.facts.response import input_of
from ivig.core.facts.steady import Steady
from ivig.core.finding import INFORMATION, Finding, Input, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="course-taper-due",
    severity=INFORMATION,
    says="{dose} {unit} a cycle unchanged since {since}, more than {months} months, and no scale worse",
    consider="Consider a smaller dose or a longer interval, one step at a time, with the same scale measured before and "
    "after; return to the dose that held when it gets worse.",
)


def concerns(indication: Indication, given: Seen[Given]) -> bool:
    return indication.taper is not None and indication.taper.word == "yes" and bool(given.items or given.lacking)


def check(order: Order, steady: Seen[Steady], indication: Indication, book: Book) -> Iterator[Finding]:
    for same in steady.items:
        scores = tuple(input_of(r, book) for pair in same.compared for r in pair)
        given = tuple(
            Input("cycle", f"{plain(c.grams)} g", c.first.isoformat(), c.path)
            for c in (same.cycles[0], same.cycles[-1])
            if c.grams is not None
        )
        yield rule.finding(
            at=(order.path, *dict.fromkeys((same.cycles[0].path, same.cycles[-1].path, *(i.path for i in scores)))),
            sums=(f"{len(same.cycles)} cycles since {same.since.first}, all within {plain(same.tolerance.number)}%",),
            inputs=(*given, *scores),
            cites=(*((indication.taper,) if indication.taper else ()), same.months, same.tolerance),
            assumed=() if scores else ("No scale was measured twice in this time: stable is taken for granted.",),
            dose=same.dose,
            unit=same.unit,
            since=same.since.first,
            months=same.months.number,
        )
