"""Dose per kilogram of a course above the range for the indication.

What it checks    Grams of a course, or of one cycle, per kg of actual weight, against the union of the page's range and
                  the product's label. More than 20% above the highest range that any source holds is an error.
Why it matters    Thrombosis, haemolysis and kidney injury rise with the dose; benefit does not.
Example           157.5 g for 70 kg in Guillain-Barre syndrome: 2.25 g/kg, above 2 g/kg and its tolerance of 10%.
Does not cover    A dose that is implausible (dose-implausible); one inside on actual weight and above on dosing weight
                  (weight-wrong-basis); several orders together (dose-cumulative-above-limit).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.dose import places
from ivig.core.facts.limits import within
from ivig.core.facts.segment import Phased
from ivig.core.finding import ERROR, WARNING, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="dose-course-above-range",
    severity=WARNING,
    says="{got} g/kg a {span} is above {limit} g/kg for {what}",
    consider="Consider a smaller dose, or recording why more than the usual range is meant.",
)


def check(order: Order, phased: Seen[Phased], book: Book) -> Iterator[Finding]:
    tolerance, factor = book.policy("dose.tolerance"), book.policy("dose.error_factor")
    for held in phased.items:
        # Of a course whose days are open at least one day is given.
        got = held.dose.total_high if held.dose.total_high is not None else held.dose.day_high
        upper, highest = held.limits.upper, held.limits.highest
        if upper is None or upper.upper is None or within(got, upper.upper, tolerance):
            continue
        grave = highest is not None and highest.upper is not None and got > highest.upper * factor.number
        sums = held.dose.sums
        if grave and highest is not None and highest.upper is not None:
            most = plain(highest.upper * factor.number)
            sums += (f"Highest range of any source: {plain(highest.upper)} x {plain(factor.number)} = {most} g/kg",)
        yield rule.finding(
            at=places(order, held.dose.inputs),
            severity=ERROR if grave else WARNING,
            sums=sums,
            inputs=held.dose.inputs,
            assumed=(held.limits.assumed,) if held.limits.assumed else (),
            # An error rests on the highest range of all, not on that of the phase.
            cites=(highest, factor) if grave and highest is not None else (upper, tolerance),
            measure=Measure("g/kg", got, None, upper.upper, upper.source),
            got=got,
            span="cycle" if held.course.repeats else "course",
            limit=upper.upper,
            what=held.limits.what,
        )


def content(phased: Seen[Phased], book: Book) -> str:
    tolerance = plain(book.policy("dose.tolerance").number)
    return "; ".join(
        f"{plain(held.dose.total_high)} g/kg a {'cycle' if held.course.repeats else 'course'}, "
        f"at most {plain(held.limits.upper.upper)} (+{tolerance}%) for {held.limits.what}"
        for held in phased.items
        if held.dose.total_high is not None and held.limits.upper is not None and held.limits.upper.upper is not None
    )
