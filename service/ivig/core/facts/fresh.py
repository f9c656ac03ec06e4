"""Infusions that begin at the label's initial rate: a first one, one of another product, one after a long gap."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.ceilings import Held
from ivig.core.facts.history import Given
from ivig.core.finding import Absent, Input
from ivig.core.rule import Maybe, Seen, fact


class Fresh(Struct, frozen=True):
    """Why an infusion begins slowly: none before it, a gap longer than `gap`, or another product (`brands`) before it."""

    last: Given | None = None
    day: date | None = None
    gap: Value | None = None
    brands: frozenset[str] = frozenset()

    @property
    def days(self) -> int:
        """Days from the last infusion to the first of this order."""
        return (self.day - self.last.day).days if self.day is not None and self.last is not None else 0

    @property
    def why(self) -> str:
        if self.last is None:
            return "a first infusion"
        if self.gap is not None:
            return f"{self.days} days after the last infusion"
        return f"after {' or '.join(sorted(self.brands))}, another product"

    @property
    def sums(self) -> tuple[str, ...]:
        return (f"{self.last.day} to {self.day}: {self.days} days",) if self.last is not None else ()

    @property
    def inputs(self) -> tuple[Input, ...]:
        if self.last is None:
            return ()
        given = " or ".join(sorted(self.brands)) or self.last.day.isoformat()
        return (Input("last infusion", given, self.last.day.isoformat(), self.last.path),)

    @property
    def cites(self) -> tuple[Value, ...]:
        return (self.gap,) if self.gap is not None else ()


_FIRST: Seen[Fresh] = Seen((Fresh(),))


@fact
def fresh(
    before: Seen[Given], product: Maybe[Product], products: tuple[Product, ...], first_dose: Seen[date], book: Book
) -> Seen[Fresh]:
    """Why the order's first infusion is one to begin slowly. Lacking: the history, the brand, or the first day."""
    if not before.items:
        return Seen((), before.lacking) if before.lacking else _FIRST
    last = before.items[-1]
    gap = book.policy("course.gap_weeks")
    first_day = first_dose.items[0]
    if (first_day - last.day).days > gap.number * 7:
        if before.lacking:  # there may have been a later one
            return Seen((), before.lacking)
        return Seen((Fresh(last, first_day, gap),))
    if not last.products:
        return Seen((), first_dose.lacking)
    brands = frozenset(book.product(k).brand for k in last.products)
    ordered = {p.brand for p in products}
    if brands.isdisjoint(ordered):
        return Seen((Fresh(last, first_day, None, brands),))
    if isinstance(product, Absent) and len(ordered) > 1 and ordered != brands:
        return Seen((), product.roots)
    return Seen((), (*before.lacking, *first_dose.lacking))  # it may begin later than the day of judgement


@fact
def fresh_rate(initial_rate: Seen[Held], fresh: Seen[Fresh]) -> Seen[tuple[Held, Fresh]]:
    """The starting rate above the label's, where the infusion is one to begin slowly."""
    held = initial_rate.items[0] if initial_rate.items else None
    if held is not None:
        return Seen(tuple((held, why) for why in fresh.items), fresh.lacking)
    if not initial_rate.lacking or (not fresh.items and not fresh.lacking):
        return Seen(())
    return Seen((), tuple(dict.fromkeys((*initial_rate.lacking, *fresh.lacking))))
