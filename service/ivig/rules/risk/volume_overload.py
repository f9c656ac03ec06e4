"""A heart or kidneys that may not cope with the volume of the infusion.

What it checks    Heart failure, dialysis lately or lasting, or an ejection fraction below the limit; with the volume that the
                  largest day and the course bring, grams over strength.
Why it matters    2 g/kg are 20 mL/kg of a 10% product and 40 mL/kg of a 5% product, and protein draws more water into the
                  circulation.
Example           70 g a day of a 10% product in heart failure: 700 mL.
Does not cover    Kidney disease without dialysis (risk-renal). What else the patient is given to drink or infuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.facts.dose import places
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.overload import Largest, volumes
from ivig.core.facts.reactions import doubted
from ivig.core.facts.signs import Sign
from ivig.core.finding import WARNING, Absent, Finding, Names, plain
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="risk-volume-overload",
    severity=WARNING,
    says="{what}: {grams} g on a day bring {volume} of fluid; consider smaller doses and a slow rate",
    consider="Consider more days with less on each, a slow rate, a concentrated product, and weight and fluid balance "
    "through the course.",
)

_UNTOLD = "{what}: the volume of the infusion can't be told; consider smaller doses and a slow rate"


def concerns(overload_signs: Seen[Sign]) -> bool:
    return bool(overload_signs.items)


def check(
    order: Order,
    overload_signs: Seen[Sign],
    largest_grams: Largest,
    strength: Maybe[Decimal],
    established: Habit | None,
    book: Book,
) -> Iterator[Finding]:
    signs, largest = overload_signs.items, largest_grams
    inputs = (*(s.input for s in signs), *largest.inputs)
    first, *others = (s.what for s in signs)
    yield rule.finding(
        at=places(order, inputs),
        severity=eased(WARNING, established, (s.since for s in signs)),
        says=_UNTOLD if largest.day is None else None,
        sums=(*(s.sum for s in signs if s.sum), *_sums(largest, strength, book)),
        inputs=inputs,
        cites=tuple(v for s in signs for v in s.cites),
        assumed=(*(("a 10% or a 5% product",) if isinstance(strength, Absent) else ()), *doubted(inputs)),
        what=Names.of((first[:1].upper() + first[1:], *others)),
        grams=round(largest.day, 1) if largest.day is not None else "",
        volume=volumes(largest.day, strength, book) if largest.day is not None else "",
    )


def _sums(largest: Largest, strength: Maybe[Decimal], book: Book) -> tuple[str, ...]:
    at = "unknown strength" if isinstance(strength, Absent) else f"{plain(strength)} g/mL"
    rows = (("largest day", largest.day), ("course", largest.course))
    return tuple(f"{name}: {plain(g)} g / {at} = {volumes(g, strength, book)}" for name, g in rows if g is not None)
