"""A dose that cannot be meant: far above or below all that any page holds.

What it checks    A day, a course and a dose per kg of actual weight against 1.2 times the highest and half the lowest
                  of all pages; without a weight, grams of a day.
Why it matters    A slipped point or milligrams for grams; nothing else is worth saying of such a dose.
Example           2800 g for 70 kg: 40 g/kg a day. 28 mg for 70 kg: 0.0004 g/kg.
Does not cover    Doses above a range that might be meant (dose-course-above-range); rates.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.dose import places
from ivig.core.facts.implausible import Implausible
from ivig.core.finding import ERROR, Finding, Measure
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(name="dose-implausible", severity=ERROR, says="{got} {unit} {span} cannot be right: {side} {bound} {unit}")

_SPANS = {"day": "on a day", "course": "a course", "low": "on a day"}


def check(order: Order, implausible: Seen[Implausible]) -> Iterator[Finding]:
    for item in implausible.items:
        low = item.what == "low"
        yield rule.finding(
            at=places(order, item.inputs),
            sums=item.sums,
            inputs=item.inputs,
            cites=(item.bound,),
            measure=Measure(
                item.unit,
                item.got,
                item.bound.number if low else None,
                None if low else item.bound.number,
                item.bound.source,
            ),
            got=item.got,
            unit=item.unit,
            span=_SPANS[item.what],
            side="below" if low else "above",
            bound=item.bound.number,
        )
