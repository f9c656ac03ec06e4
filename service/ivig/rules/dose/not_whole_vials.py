"""A dose that no sum of the product's vials comes near.

What it checks    The grams of each infusion day against the nearest sum of the vial sizes of the product: within 5 g in
                  adults and 2.5 g in children, and never further than 10% of the dose. Where the policy rounds to a
                  step (`rounding.step_g`), an adult's dose against the nearest multiple of it, where that is within 10%.
Why it matters    What is left in an opened vial is thrown away; rounding to whole vials saves it at no loss.
Example           12 g of Privigen (vials of 5, 10, 20, 40 g): 10 g is 2 g away, more than 10% of 12 g.
Does not cover    An order whose product is open, unless all candidates agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.dose import places
from ivig.core.facts.grams import Grams
from ivig.core.facts.patient import share
from ivig.core.facts.vials import farthest, mixed, rounding, sizes_of
from ivig.core.finding import INFORMATION, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen
from ivig.core.vials import best_mix, nearest_sum

rule = Rule(
    name="dose-not-whole-vials",
    severity=INFORMATION,
    says="{got} g is no sum of whole vials of {product} ({sizes} g): the nearest is {nearest} g",
    consider="Consider rounding the dose to whole vials, as far as your policy allows.",
)

_STEP = "{got} g is not rounded to {step} g: the nearest is {nearest} g"


def check(order: Order, day_grams: Seen[Grams], product: Product, adult: bool, book: Book) -> Iterator[Finding]:
    step = book.maybe("rounding.step_g")
    if step is not None and adult:
        yield from _off_step(order, day_grams, step, book.policy("rounding.never_over"))
        return
    if product.vials is None or not product.vials.words:
        return
    sizes, limits = sizes_of(product.vials.words), rounding(adult, book)
    for held in day_grams.items:
        for low, high in held.days:
            nearest = nearest_sum(sizes, low, high)
            off = max(low - nearest, nearest - high)
            if off <= farthest(high, limits):
                continue
            exact = best_mix(sizes, high)
            opened = f"Given exactly: {mixed(exact)}, {plain(exact.wasted)} g thrown away"
            yield rule.finding(
                at=places(order, held.inputs),
                sums=(*held.sums, f"{plain(high)} g to {plain(nearest)} g: {plain(off)} g apart", opened),
                inputs=held.inputs,
                cites=(product.vials, *limits),
                measure=Measure("g", high, None, nearest, product.vials.source),
                got=high,
                product=product.title,
                sizes=tuple(sorted(sizes)),
                nearest=nearest,
            )


def _off_step(order: Order, day_grams: Seen[Grams], step: Value, most: Value) -> Iterator[Finding]:
    """Days whose grams hold no multiple of the policy's step, where one is so near that rounding to it is allowed."""
    for held in day_grams.items:
        for low, high in held.days:
            if (high // step.number) * step.number >= low:
                continue
            nearest = (high / step.number).to_integral_value(ROUND_HALF_UP) * step.number
            if abs(high - nearest) > high * share(most.number):
                continue
            yield rule.finding(
                at=places(order, held.inputs),
                says=_STEP,
                sums=(*held.sums, f"{plain(high)} g to {plain(nearest)} g: {plain(abs(high - nearest))} g apart"),
                inputs=held.inputs,
                cites=(step, most),
                measure=Measure("g", high, None, nearest, step.source),
                got=high,
                step=step.number,
                nearest=nearest,
            )


def content(day_grams: Seen[Grams], product: Product, adult: bool, book: Book) -> str:
    step = book.maybe("rounding.step_g")
    if step is not None and adult:
        most = book.policy("rounding.never_over")
        return f"rounded to {plain(step.number)} g by the policy, where that is at most {plain(most.number)}% away"
    if product.vials is None or not product.vials.words:
        return f"no vial sizes of {product.title} on record"
    sizes = sizes_of(product.vials.words)
    days = dict.fromkeys(day for held in day_grams.items for day in held.days)
    return "; ".join(
        f"{plain(high)} g, nearest sum of vials of {', '.join(map(plain, sorted(sizes)))} g: "
        f"{plain(nearest_sum(sizes, low, high))} g"
        for low, high in days
    )
