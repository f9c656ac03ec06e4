"""Dose and rate do not make the stated duration.

What it checks    For each instruction with a duration in hours: the time that its dose takes at the ordered rates, against
                  the duration, with the tolerance of the policy.
Why it matters    One of the three numbers is wrong, and whoever sets the pump has to choose.
Example           700 mL at 168 mL/h take 4.2 hours; the order says over 2 hours.
Does not cover    A rate that words say is only the beginning or the maximum: it bounds the time from one side. Durations in
                  days, which tell of the course. The ceiling itself (rate-above-label).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.durations import Mismatch
from ivig.core.finding import WARNING, Finding, Input, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="rate-duration-mismatch",
    severity=WARNING,
    says="At the ordered rate one infusion takes {took} h; the order says {said}",
    consider="Consider which of dose, rate and duration is meant, and let the order state only what agrees.",
)


def concerns(duration_stated: bool) -> bool:
    return duration_stated


def check(order: Order, duration_mismatch: Seen[Mismatch], book: Book) -> Iterator[Finding]:
    tolerance = book.policy("rate.duration_tolerance")
    for found in duration_mismatch.items:
        inputs = (
            Input("dose", found.dose, "", found.dose_path),
            *(Input("rate", r.said, "", r.path) for r in found.rates),
            Input("duration", found.duration.said, "", found.duration.path),
            *found.inputs,
        )
        yield rule.finding(
            at=(order.path, *(i.path for i in inputs if i.path)),
            sums=(
                f"{found.dose} at {' and '.join(r.said for r in found.rates)}: {found.shown} h",
                f"Stated: {found.duration.said}; {plain(tolerance.number)}% may differ",
            ),
            inputs=inputs,
            cites=(tolerance,),
            measure=Measure("h", found.observed, found.lower, found.upper, tolerance.source),
            took=found.shown,
            said=found.duration.said[:40],
        )


def content(duration_mismatch: Seen[Mismatch], duration_stated: bool) -> str:
    """That dose, rate and duration agree."""
    return "dose, rate and duration agree" if duration_stated and not duration_mismatch.lacking else ""
