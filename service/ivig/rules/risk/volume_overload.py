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
from ivig.core.facts.dose import PerKg, places
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.excipients import Sign
from ivig.core.facts.indication import listed
from ivig.core.facts.overload import volumes
from ivig.core.finding import WARNING, Absent, Finding, plain
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
    per_kg: Seen[PerKg],
    strength: Maybe[Decimal],
    established: Habit | None,
    book: Book,
) -> Iterator[Finding]:
    signs = overload_signs.items
    most = max((d for d in per_kg.items if d.grams_day is not None), key=lambda d: d.grams_day or 0, default=None)
    told = most is not None and most.grams_day is not None and most.course.day_known
    sums: tuple[str, ...] = ()
    if most is not None and most.grams_day is not None:
        sums = _sums(most.grams_day if told else None, most.grams_total, strength, book)
    inputs = (*(s.input for s in signs), *(most.inputs if most is not None else ()))
    yield rule.finding(
        at=places(order, inputs),
        severity=eased(WARNING, established, (s.since for s in signs)),
        says=None if told else _UNTOLD,
        sums=(*(s.sum for s in signs if s.sum), *sums),
        inputs=inputs,
        cites=tuple(v for s in signs for v in s.cites),
        assumed=("a 10% or a 5% product: the strength is not known",) if isinstance(strength, Absent) else (),
        what=listed((s.what[:1].upper() + s.what[1:] for s in signs), 45),
        grams=round(most.grams_day, 1) if most is not None and most.grams_day is not None else "",
        volume=volumes(most.grams_day, strength, book) if most is not None and most.grams_day is not None else "",
    )


def _sums(day: Decimal | None, total: Decimal | None, strength: Maybe[Decimal], book: Book) -> tuple[str, ...]:
    at = "unknown strength" if isinstance(strength, Absent) else f"{plain(strength)} g/mL"
    rows = (("day", day), ("course", total))
    return tuple(f"{name}: {plain(g)} g at {at} = {volumes(g, strength, book)}" for name, g in rows if g is not None)
