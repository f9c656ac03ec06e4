"""The quantity to be dispensed fits nothing that the order says.

What it checks    The dispensed quantity, alone and times the fills, against dose, day, cycle and course, each with the
                  tolerance of doses.
Why it matters    One of the two numbers is wrong, and pharmacy and ward each go by theirs.
Example           28 g on five days, 280 g dispensed: neither 28 g nor 140 g.
Does not cover    Vial sizes (dose-not-whole-vials); a quantity that cannot become grams.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.grams import Grams
from ivig.core.facts.supply import Supply
from ivig.core.finding import WARNING, Finding, Input, Measure
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="dose-total-mismatch",
    severity=WARNING,
    says="{got} g to be dispensed fits neither dose nor course; nearest is {nearest} g a {span}",
    consider="Consider asking which of the two is meant, and correcting the quantity or the dose.",
)


def concerns(order: Order) -> bool:
    return order.dispensed is not None


def check(order: Order, supply: Seen[Supply]) -> Iterator[Finding]:
    for item in supply.items:
        yield rule.finding(
            at=(order.path, item.amount.path),
            sums=item.sums,
            inputs=(Input("dispensed", item.amount.said, "", item.amount.path),),
            cites=item.cites,
            measure=Measure("g", item.grams, None, item.nearest, item.cites[0].source),
            got=item.grams,
            nearest=item.nearest,
            span=item.what,
        )


def content(order: Order, in_grams: Seen[Grams]) -> str:
    if order.dispensed is None:
        return ""
    fills = f" x {order.repeats + 1} fills" if order.repeats else ""
    ordered = "; ".join(dict.fromkeys(line for grams in in_grams.items for line in grams.sums))
    return f"{order.dispensed.said}{fills} dispensed; ordered {ordered}"
