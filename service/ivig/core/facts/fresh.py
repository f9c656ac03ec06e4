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
    """Why an infusion begins slowly: in words, with the last infusion where there was one."""

    why: str
    inputs: tuple[Input, ...] = ()
    cites: tuple[Value, ...] = ()


@fact
def fresh(
    before: Seen[Given], product: Maybe[Product], products: tuple[Product, ...], first_day: date, book: Book
) -> Seen[Fresh]:
    """Why the order's first infusion is one to begin slowly. Lacking: the history, or the brand now or then."""
    if not before.items:
        return Seen((), before.lacking) if before.lacking else Seen((Fresh("a first infusion"),))
    last = before.items[-1]
    gap = book.policy("course.gap_weeks")
    shown = (Input("last infusion", last.day.isoformat(), last.day.isoformat(), last.path),)
    days = (first_day - last.day).days
    if days > gap.number * 7:
        if before.lacking:  # there may have been a later one
            return Seen((), before.lacking)
        return Seen((Fresh(f"{days} days after the last infusion", shown, (gap,)),))
    if not last.products:
        return Seen(())
    brands = {book.product(k).brand for k in last.products}
    ordered = {p.brand for p in products}
    if brands.isdisjoint(ordered):
        return Seen((Fresh(f"after {' or '.join(sorted(brands))}, another product", shown),))
    if isinstance(product, Absent) and len(ordered) > 1 and ordered != brands:
        return Seen((), product.roots)
    return Seen((), before.lacking)


@fact
def fresh_rate(initial_rate: Seen[Held], fresh: Seen[Fresh]) -> Seen[tuple[Held, Fresh]]:
    """The starting rate above the label's, where the infusion is one to begin slowly."""
    held = initial_rate.items[0] if initial_rate.items else None
    if held is not None:
        return Seen(tuple((held, why) for why in fresh.items), fresh.lacking)
    if not initial_rate.lacking or (not fresh.items and not fresh.lacking):
        return Seen(())
    return Seen((), tuple(dict.fromkeys((*initial_rate.lacking, *fresh.lacking))))
