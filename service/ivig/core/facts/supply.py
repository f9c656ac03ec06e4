"""What is to be dispensed, held against the doses of the order."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.amount import Dose, to_grams
from ivig.core.facts.dose import Kilos, courses_of
from ivig.core.facts.grams import Grams, grams_of
from ivig.core.facts.patient import share
from ivig.core.finding import Absent, plain
from ivig.core.order import Amount, Order, Part, Result
from ivig.core.rule import Maybe, Seen, fact


class Supply(Struct, frozen=True):
    """A dispensed quantity that fits nothing the order says."""

    amount: Amount
    grams: Decimal
    fills: int
    nearest: Decimal
    what: str
    sums: tuple[str, ...]
    cites: tuple[Value, ...]


@fact
def supply(
    order: Order,
    dosing_parts: tuple[Part, ...],
    strength: Maybe[Decimal],
    products: tuple[Product, ...],
    in_grams: Seen[Grams],
    kilos: Kilos,
    weight: Maybe[Result],
    book: Book,
) -> Seen[Supply]:
    """The dispensed quantity where it is no dose, day, cycle or course of the order, nor of its group."""
    if order.dispensed is None:
        return Seen(())
    made = to_grams(order.dispensed, strength, products)
    if not isinstance(made, Dose) or made.per_kg:
        volume = "millilitres" in getattr(made, "why", "")
        return Seen((), strength.roots if volume and isinstance(strength, Absent) else ())
    join = int(book.policy("course.join_days").number)
    held = [*in_grams.items]
    if order.group_parts:
        own = tuple(p for p in dosing_parts if p in order.parts)
        held += grams_of(courses_of(order, own, strength, products, join), kilos, weight).items
    tolerance = book.policy("dose.tolerance")
    expected = [e for g in held for e in _expected(g, _times(g, order.group_parts or order.parts))]
    totals = [_course(g) for g in in_grams.items]
    whole = [t for t in totals if t is not None]
    if len(whole) == len(totals) > 1:
        expected.append(("order", sum((t[0] for t in whole), Decimal(0)), sum((t[1] for t in whole), Decimal(0))))
    fills, part = order.repeats + 1, share(tolerance.number)
    for quantity in (made.high,) if fills == 1 else (made.high, made.high * fills):
        for _, low, high in expected:
            if _fits(quantity, low, high, part):
                return Seen(())
        for g in held:
            if _whole_cycles(quantity, g, part):
                return Seen(())
    if in_grams.lacking or not expected:
        return Seen((), in_grams.lacking)
    total = made.high * fills
    what, _, nearest = min(expected, key=lambda e: abs(e[2] - total))
    line = f"{made.sum} x {fills} fills = {plain(total)} g" if fills > 1 else f"{made.sum} dispensed"
    ordered = ", ".join(dict.fromkeys(f"{plain(high)} g a {name}" for name, _, high in expected))
    sums = (line, f"Ordered: {ordered}")
    return Seen((Supply(order.dispensed, total, fills, nearest, what, sums, (tolerance,)),))


def _times(grams: Grams, parts: tuple[Part, ...]) -> int:
    """How many single doses make up an infusion day."""
    return next((p.doses_a_day for p in parts if p.path == grams.course.path), 1)


def _expected(grams: Grams, times: int) -> list[tuple[str, Decimal, Decimal]]:
    """What a quantity could be meant for: its name, lower and upper end in grams."""
    found = [("day", low, high) for low, high in grams.days]
    if times > 1:
        found += [("dose", low / times, high / times) for low, high in grams.days]
    if grams.total is not None:
        found.append(("cycle" if grams.course.repeats else "course", *grams.total))
    whole = _course(grams)
    return [*found, ("course", *whole)] if whole is not None and grams.course.repeats else found


def _course(grams: Grams) -> tuple[Decimal, Decimal] | None:
    """All cycles together, where their number is known."""
    if grams.total is None or (grams.course.repeats and grams.course.cycles is None):
        return None
    cycles = grams.course.cycles or 1 if grams.course.repeats else 1
    return grams.total[0] * cycles, grams.total[1] * cycles


def _whole_cycles(quantity: Decimal, grams: Grams, tolerance: Decimal) -> bool:
    """Of an open-ended order any whole number of cycles may be dispensed."""
    if not grams.course.repeats or grams.course.cycles is not None or grams.total is None or not grams.total[1]:
        return False
    cycles = (quantity / grams.total[1]).to_integral_value()
    return cycles >= 1 and _fits(quantity, grams.total[0] * cycles, grams.total[1] * cycles, tolerance)


def _fits(quantity: Decimal, low: Decimal, high: Decimal, tolerance: Decimal) -> bool:
    return low * (1 - tolerance) <= quantity <= high * (1 + tolerance)
