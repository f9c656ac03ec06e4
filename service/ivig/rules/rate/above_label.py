"""Faster than the label allows.

What it checks    The fastest rate of all steps, or the average that a stated duration gives, against the ceiling of the
                  product for this indication and strength, in the unit the label prints, per kg of actual weight.
Why it matters    Reactions, thrombosis and kidney injury come with fast infusions.
Example           Privigen at 250 mL/h in a patient of 70 kg is 5.95 mg/kg/min: above 4 in immune thrombocytopenia, and
                  below 8 in CIDP.
Does not cover    An indication that the label does not name has no ceiling of its own: above the lowest rate of that label
                  it is information, above the highest a warning or an error, and said to be assumed. Without a known
                  indication the highest is taken. Of a product that is open every one it may be has to agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ivig.core.book import Book, Indication, Product
from ivig.core.facts.ceilings import MOST, Held, fastest
from ivig.core.facts.rate_words import limit_line, measure_of, pump, rate_inputs, sum_of, whose
from ivig.core.facts.rates import Pace, hours_line
from ivig.core.finding import ERROR, INFORMATION, WARNING, Absent, Finding, Names, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="rate-above-label",
    severity=WARNING,
    says="{got} {unit}{average} is above {limit}, the label's highest for {product} in {what}",
    consider="Consider a slower highest rate, reached in steps and only as far as it is tolerated.",
)

_UNNAMED = "{got} {unit}{average} is above {limit}, the lowest ceiling for {product}, whose label does not name {what}"
_EVERY = (
    "{got} {unit}{average} is above {limit} to {highest}, all ceilings for {product}, whose label does not name {what}"
)


def concerns(label_rate: Seen[Held]) -> bool | None:
    return bool(label_rate.items or label_rate.lacking) or None


def check(
    order: Order,
    label_rate: Seen[Held],
    indication: Maybe[Indication],
    weight: Maybe[Result],
    products: tuple[Product, ...],
    slowest: tuple[str, ...],
    book: Book,
) -> Iterator[Finding]:
    for held in label_rate.items:
        inputs = rate_inputs(held, weight, order)
        what = "any indication" if isinstance(indication, Absent) else indication.title
        says = rule.says
        if not held.named and not isinstance(indication, Absent):
            says = _UNNAMED if held.highest is None else _EVERY
        words: dict[str, Any] = {
            "got": held.got,
            "unit": held.limit.unit,
            "average": " on average" if held.pace.average else "",
            "limit": held.limit.number,
            "highest": held.highest.number if held.highest is not None else "",
            "product": whose(held, order),
        }
        yield rule.finding(
            at=(order.path, *(i.path for i in inputs if i.path)),
            severity=ERROR if held.grave else INFORMATION if held.mild else WARNING,
            sums=tuple(
                line
                for line in (
                    sum_of(held),
                    limit_line(held, "Label: at most", book),
                    f"Highest of the label: {plain(held.highest.number)} {held.highest.unit}" if held.highest else "",
                    hours_line(order, held.pace, held.body, products),
                )
                if line
            ),
            says=says,
            inputs=inputs,
            cites=(held.limit, *((held.highest,) if held.highest is not None else ()), book.policy("rate.tolerance")),
            measure=measure_of(held),
            assumed=held.assumed,
            consider=(*_slower(held, order), *slowest),
            what=Names.of((what,)),
            **words,
        )


def _slower(held: Held, order: Order) -> tuple[str, ...]:
    pumped = pump(held)
    if not pumped or not order.products:  # of no brand: whose label?
        return ()
    what = "The label's highest" if held.named else "The lowest of the label's ceilings"
    return (f"{what} is {plain(held.limit.number)} {held.limit.unit}{pumped}.",)


def content(
    order: Order,
    paces: Seen[Pace],
    indication: Maybe[Indication],
    weight: Maybe[Result],
    products: tuple[Product, ...],
    book: Book,
) -> str:
    """The fastest rate beside the ceiling, and how long one infusion takes."""
    held = fastest(MOST, order, paces.items, products, indication, weight, book)
    if held is None:
        return ""
    line = f"{plain(held.got)} {held.limit.unit} at most, label {plain(held.limit.number)} {held.limit.unit}"
    return "; ".join(part for part in (line, hours_line(order, held.pace, held.body, products)) if part)
