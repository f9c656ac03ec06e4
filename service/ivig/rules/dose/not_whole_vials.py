"""A dose that no sum of the product's vials comes near.

What it checks    The grams of each infusion day against the nearest sum of the vial sizes of the product: within 5 g in
                  adults and 2.5 g in children, and never further than 10% of the dose. Where the policy rounds to a
                  step (`rounding.step_g`), against the nearest multiple of it.
Why it matters    What is left in an opened vial is thrown away; rounding to whole vials saves it at no loss.
Example           12 g of Privigen (vials of 5, 10, 20, 40 g): 10 g is 2 g away, more than 10% of 12 g.
Does not cover    An order whose product is open, unless all candidates agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from math import gcd

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.dose import places
from ivig.core.facts.grams import Grams
from ivig.core.facts.patient import share
from ivig.core.finding import INFORMATION, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="dose-not-whole-vials",
    severity=INFORMATION,
    says="{got} g is no sum of whole vials of {product} ({sizes} g): the nearest is {nearest} g",
    consider="Consider rounding the dose to whole vials, as far as your policy allows.",
)

_STEP = "{got} g is not rounded to {step} g: the nearest is {nearest} g"


def check(order: Order, day_grams: Seen[Grams], product: Product, adult: bool, book: Book) -> Iterator[Finding]:
    step = book.maybe("rounding.step_g")
    if step is not None:
        yield from _off_step(order, day_grams, step)
        return
    if product.vials is None or not product.vials.words:
        return
    sizes = _sizes(product.vials.words)
    most, part = book.policy("rounding.adult_g" if adult else "rounding.child_g"), book.policy("rounding.never_over")
    for held in day_grams.items:
        for low, high in held.days:
            nearest = nearest_sum(sizes, low, high)
            off = max(low - nearest, nearest - high)
            if off <= min(most.number, high * share(part.number)):
                continue
            yield rule.finding(
                at=places(order, held.inputs),
                sums=(*held.sums, f"{plain(high)} g to {plain(nearest)} g: {plain(off)} g apart"),
                inputs=held.inputs,
                cites=(product.vials, most, part),
                measure=Measure("g", high, None, nearest, product.vials.source),
                got=high,
                product=product.title,
                sizes=tuple(sorted(sizes)),
                nearest=nearest,
            )


def _off_step(order: Order, day_grams: Seen[Grams], step: Value) -> Iterator[Finding]:
    """Days whose grams hold no multiple of the policy's step."""
    for held in day_grams.items:
        for low, high in held.days:
            if (high // step.number) * step.number >= low:
                continue
            nearest = (high / step.number).to_integral_value(ROUND_HALF_UP) * step.number
            yield rule.finding(
                at=places(order, held.inputs),
                says=_STEP,
                sums=(*held.sums, f"{plain(high)} g to {plain(nearest)} g: {plain(abs(high - nearest))} g apart"),
                inputs=held.inputs,
                cites=(step,),
                measure=Measure("g", high, None, nearest, step.source),
                got=high,
                step=step.number,
                nearest=nearest,
            )


def content(day_grams: Seen[Grams], product: Product, book: Book) -> str:
    step = book.maybe("rounding.step_g")
    if step is not None:
        return f"rounded to {plain(step.number)} g by the policy"
    if product.vials is None or not product.vials.words:
        return f"no vial sizes of {product.title} on record"
    sizes = _sizes(product.vials.words)
    days = dict.fromkeys(day for held in day_grams.items for day in held.days)
    return "; ".join(
        f"{plain(high)} g, nearest sum of vials of {', '.join(map(plain, sorted(sizes)))} g: "
        f"{plain(nearest_sum(sizes, low, high))} g"
        for low, high in days
    )


@lru_cache(maxsize=256)
def _sizes(words: tuple[str, ...]) -> tuple[Decimal, ...]:
    return tuple(Decimal(size) for size in words)


@lru_cache(maxsize=4096)
def nearest_sum(sizes: tuple[Decimal, ...], low: Decimal, high: Decimal) -> Decimal:
    """The sum of vials nearest to the range from `low` to `high`: exact, in hundredths of a gram.

    Bit n of `sums` stands for a sum of n measures; each size is added as often as it fits.
    """
    counts = [int(size * 100) for size in sizes]
    measure = gcd(*counts)
    steps = [count // measure for count in counts]
    # Of a very large dose the bulk is vials of the largest size; only the rest is a problem.
    bulk = max(int(low / max(sizes)) - max(steps), 0) * max(sizes)
    low, high = low - bulk, high - bulk
    top = int(high * 100 / measure) + max(steps) + 1
    sums, within = 1, (1 << (top + 1)) - 1
    for step in steps:
        reach = step
        while reach <= top:  # doubling: after k rounds up to 2^k vials of this size
            sums |= (sums << reach) & within
            reach *= 2
    unit = Decimal(measure) / 100
    candidates = (unit * n for n in range(1, top + 1) if sums >> n & 1)
    return bulk + min(candidates, key=lambda s: max(low - s, s - high, Decimal(0)))
