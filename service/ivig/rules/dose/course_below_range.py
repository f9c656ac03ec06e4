"""Dose per kilogram of a course below the range for the indication.

What it checks    Grams of a course or cycle per kg of the smallest accepted weight (actual, adjusted, ideal), against
                  the lower end of the page's range and the product's label.
Why it matters    Too little exposes the patient to the risks of immune globulin without its benefit.
Example           14 g on five days for 70 kg in Guillain-Barre syndrome: 1 g/kg, below 2 g/kg.
Does not cover    A part of a course (an earlier dose within the days that join); doses linked to plasma exchange in
                  antibody-mediated rejection; orders without a known indication.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.below import Below
from ivig.core.facts.dose import Bases, places
from ivig.core.facts.limits import lower_dose
from ivig.core.facts.segment import Phased
from ivig.core.finding import WARNING, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="dose-course-below-range",
    severity=WARNING,
    says="{got} g/kg a {span} ({basis} weight) is below {limit} g/kg for {what}",
    consider="Consider whether a smaller dose is meant, or is part of a larger course.",
)


def check(order: Order, below_range: Seen[Below]) -> Iterator[Finding]:
    for item in below_range.items:
        limits = item.held.limits
        assert item.lower.lower is not None
        yield rule.finding(
            at=places(order, item.inputs),
            sums=item.sums,
            inputs=item.inputs,
            assumed=(limits.assumed,) if limits.assumed else (),
            cites=item.cites,
            measure=Measure("g/kg", item.got, item.lower.lower, None, item.lower.source),
            got=round(item.got, 3),
            span="cycle" if item.held.course.repeats else "course",
            basis=item.basis,
            limit=item.lower.lower,
            what=limits.what,
        )


def content(phased: Seen[Phased], bases: Maybe[Bases], book: Book) -> str:
    tolerance, found = plain(book.policy("dose.tolerance").number), []
    for held in phased.items:
        lower, got = held.limits.lower, lower_dose(held.dose, bases)
        if lower is None or lower.lower is None or got is None:
            continue
        of = f" of {bases.name} weight" if isinstance(bases, Bases) and not held.dose.nominal else ""
        more = "; goes on with an earlier course" if held.continues else ""
        found.append(
            f"{plain(got)} g/kg{of}, at least {plain(lower.lower)} (-{tolerance}%) for {held.limits.what}{more}"
        )
    return "; ".join(found)
