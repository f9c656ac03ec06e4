"""Too much immune globulin within four weeks, all orders and products together.

What it checks    Grams per kg of actual weight in any 28 days that hold a dose of this order: its own planned doses,
                  those given before, and those of other running orders, IV or SC; against 1.2 times the highest range.
Why it matters    Two courses in a row, or a renewal over a running order, add up to what no single order shows.
Example           140 g given two weeks ago and 140 g ordered now for 70 kg: 4 g/kg, above 2.4 in Guillain-Barre.
Does not cover    One course alone (dose-course-above-range). Where the page itself has two cycles, or a first course
                  and the first maintenance dose, within 28 days, that is what it is held against.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.cumulative import AddedUp, Cumulative
from ivig.core.facts.dose import places
from ivig.core.finding import WARNING, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="dose-cumulative-above-limit",
    severity=WARNING,
    says="{got} g/kg from {first} to {last}, all orders together, is above {limit} g/kg for {what}",
    consider=(
        "Consider a later or smaller dose, and checking whether every order that was added up is meant to be given."
    ),
)


def check(order: Order, cumulative: Seen[Cumulative]) -> Iterator[Finding]:
    for item in cumulative.items:
        yield rule.finding(
            at=places(order, item.inputs),
            sums=item.sums,
            inputs=item.inputs,
            cites=item.cites,
            measure=Measure("g/kg", item.got, None, item.limit, item.cites[0].source),
            got=item.got,
            first=item.first,
            last=item.last,
            limit=item.limit,
            what=item.what,
        )


def content(added_up: AddedUp) -> str:
    if added_up.alone:
        return f"this course alone, nothing to add up: {added_up.line}"
    return f"{added_up.line}; at most {plain(added_up.most)} g/kg ({added_up.why})"
