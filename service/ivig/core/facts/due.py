"""When a repeating order that states no start goes on: with the rhythm of the cycles before it, not all at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.dated import later
from ivig.core.facts.course import Course
from ivig.core.facts.history import Given
from ivig.core.facts.limits import at_least, within
from ivig.core.facts.treatment import cycles_of
from ivig.core.order import Order


def days_until_due(order: Order, course: Course, grams: Decimal, past: Iterable[Given], first: date, book: Book) -> int:
    """Days from `first` until the next cycle of the same product and dose is due; 0 where it is due or nothing tells.

    One cycle before tells where the next is due within the days tolerated and would not be part of it; two that were an
    interval apart tell in any case.
    """
    if not course.repeats or course.interval is None or not course.interval:
        return 0
    before = sorted((g for g in past if g.day < first), key=lambda g: g.day)
    alike = [
        g for g in before if not g.products or not order.products or not set(g.products).isdisjoint(order.products)
    ]
    if not alike or alike[-1] is not before[-1]:
        return 0  # what was given last is another product
    join = int(book.policy("course.join_days").number)
    cycles = cycles_of(alike, join)
    last, tolerance = cycles[-1], book.policy("dose.tolerance")
    if last.grams is None or not (within(last.grams, grams, tolerance) and at_least(last.grams, grams, tolerance)):
        return 0
    wait = (later(last.first, course.interval) - first).days
    if wait <= 0:
        return 0
    spare = book.policy("schedule.interval_tolerance_days").number
    steady = len(cycles) > 1 and abs((last.first - cycles[-2].first).days - course.interval) <= spare
    return wait if steady or (wait <= spare and (first - last.last).days > join) else 0
