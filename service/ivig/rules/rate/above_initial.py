"""A first infusion that begins faster than the label has it.

What it checks    The rate to begin with (the first step, of a range the lower end) against the label's initial rate, for a
                  first infusion, one after another product, or one after a long gap.
Why it matters    Who never had the product, or not for long, reacts most often; the first minutes show it.
Example           Gamunex-C for CIDP begun at 4 mg/kg/min, where its label begins at 2.
Does not cover    Later infusions of the same product; how long each step lasts. An order that states only a highest rate
                  does not tell how it begins (rate-missing).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication, Product
from ivig.core.facts.ceilings import INITIAL, Held, fastest
from ivig.core.facts.fresh import Fresh
from ivig.core.facts.history import Given
from ivig.core.facts.rate_words import limit_line, measure_of, rate_inputs, sum_of, whose
from ivig.core.facts.rates import Pace, hours_line
from ivig.core.finding import INFORMATION, Finding, Names, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="rate-above-initial",
    severity=INFORMATION,
    says="Begins at {got} {unit}, the label of {product} at {limit}{less}: {why}",
    consider="Consider the label's initial rate, and steps upwards as long as it is tolerated.",
)


def concerns(initial_rate: Seen[Held]) -> bool | None:
    return bool(initial_rate.items or initial_rate.lacking) or None


def check(
    order: Order,
    fresh_rate: Seen[tuple[Held, Fresh]],
    weight: Maybe[Result],
    products: tuple[Product, ...],
    book: Book,
) -> Iterator[Finding]:
    for held, fresh in fresh_rate.items:
        inputs = (*rate_inputs(held, weight, order), *fresh.inputs)
        hours = hours_line(order, held.pace, held.body, products)
        yield rule.finding(
            at=(order.path, *(i.path for i in inputs if i.path)),
            sums=(
                sum_of(held),
                limit_line(held, "Label: begin at", book),
                *((hours,) if hours else ()),
                *fresh.sums,
            ),
            inputs=inputs,
            cites=(held.limit, book.policy("rate.tolerance"), *fresh.cites),
            measure=measure_of(held),
            assumed=held.assumed,
            got=held.got,
            unit=held.limit.unit,
            product=whose(held, order),
            limit=held.limit.number,
            less="" if order.products else " or less",
            why=Names.of((fresh.why,)),
        )


def content(
    order: Order,
    starting: Pace | None,
    fresh: Seen[Fresh],
    before: Seen[Given],
    indication: Maybe[Indication],
    weight: Maybe[Result],
    products: tuple[Product, ...],
    book: Book,
) -> str:
    """The rate to begin with beside the label's, and whether the infusion is one to begin slowly."""
    held = fastest(INITIAL, order, (starting,) if starting else (), products, indication, weight, book)
    if held is None:
        return ""
    line = f"begins at {plain(held.got)} {held.limit.unit}, label {plain(held.limit.number)}"
    if not fresh.items and before.items:
        return f"{line} for first infusions; this is none, the last was on {before.items[-1].day}"
    return line
