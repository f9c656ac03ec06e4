"""The treatment an order goes on with: earlier courses and cycles for its indication, and how far the order is from them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication, Product
from ivig.core.dated import Value
from ivig.core.facts.amount import Dose
from ivig.core.facts.course import Course, laid_out, single, starts_on
from ivig.core.facts.history import Given, is_laid_out, of_indication
from ivig.core.facts.indication import kin
from ivig.core.facts.limits import in_days, limits_for, limits_of_each
from ivig.core.facts.running import renews
from ivig.core.finding import Absent, Root
from ivig.core.order import Amount, Infusion, Order, Part
from ivig.core.rule import Maybe, Seen, fact

UNTIMED = Root("schedule-missing")
_NO_DOSE, _NOTHING = Amount(Decimal(0), Decimal(0), "g", "", ""), Dose(Decimal(0), Decimal(0), False, "")


class Cycle(Struct, frozen=True):
    """An earlier course or cycle: its days, what was given in all (None where a dose is not known), its last record."""

    first: date
    last: date
    grams: Decimal | None
    per_kg: Decimal | None
    path: str


class Spacing(Struct, frozen=True):
    """How far the order's first dose is from the last one for the indication, and how far it should be.

    Args:
        least: days from the last dose to the first of this order: the interval less the tolerance and, as intervals
            run from the start of a cycle to that of the next, less the further days of a cycle.
        interval: the shortest interval of page and labels.
        tolerance: None where a first course is repeated: it is repeated from that day on, and not before.
    """

    last: Given
    first: date
    days: int
    least: Decimal
    interval: Value
    further: int
    tolerance: Value | None


def months_back(day: date, months: Decimal) -> date:
    """The same day of the month so many months before; the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - int(months), 12)
    if year < 1:
        return date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def cycles_of(given: Iterable[Given], join_days: int) -> tuple[Cycle, ...]:
    """Days of the past as courses and cycles, oldest first: days no further apart than those that join are one."""
    runs: list[list[Given]] = []
    for one in given:
        if runs and (one.day - runs[-1][-1].day).days <= join_days:
            runs[-1].append(one)
        else:
            runs.append([one])
    return tuple(
        Cycle(run[0].day, run[-1].day, _whole([g.grams for g in run]), _whole([g.per_kg for g in run]), run[-1].path)
        for run in runs
    )


def _whole(doses: list[Decimal | None]) -> Decimal | None:
    known = [d for d in doses if d is not None]
    return sum(known, Decimal(0)) if len(known) == len(doses) else None


def outline(order: Order, parts: tuple[Part, ...], book: Book) -> tuple[Course, ...]:
    """The courses of the order by their timing alone, whatever is given."""
    join = int(book.policy("course.join_days").number)
    made = [(p, single(p, _NO_DOSE, _NOTHING, (), p.days)) for p in parts]
    return tuple(laid_out(made, order.day, join)) if made else ()


@fact
def treatment(candidates: tuple[Indication, ...], given: Seen[Given], first_day: date, book: Book) -> Seen[Cycle]:
    """The courses and cycles of the treatment that still runs, doses of this order among them: none after a long gap."""
    past = [g for g in given.items if g.day < first_day or (g.day == first_day and g.kind != "request")]
    of = of_indication(tuple(past), kin(candidates, book)) if past else ()
    if not of:
        return Seen((), given.lacking)
    pause = book.policy("course.new_start_after_weeks").number * 7
    following, since = first_day, len(of)
    while since and (following - of[since - 1].day).days <= pause:
        since -= 1
        following = of[since].day
    return Seen(cycles_of(of[since:], int(book.policy("course.join_days").number)), given.lacking)


@fact
def stated_start(whole_parts: tuple[Part, ...]) -> date | None:
    """The day on which the order says it begins, also where that day has passed; None where it does not say."""
    leading = min(whole_parts, key=lambda p: p.sequence or 0) if whole_parts else None
    if leading is None or (leading.sequence is not None and starts_on(leading) is None):
        return None
    return min((day for p in whole_parts if (day := starts_on(p)) is not None), default=None)


def begins(order: Order, stated_start: date | None) -> date:
    """The day from which doses may be the order's own: its stated start, else the day it was written."""
    if stated_start is not None:
        return stated_start
    return order.day if order.authored is None else min(order.authored.day, order.day)


@fact
def spacing(
    order: Order,
    indication: Indication,
    phase: str,
    before: Seen[Given],
    whole_parts: tuple[Part, ...],
    stated_start: date | None,
    repeating: Maybe[bool],
    product: Maybe[Product],
    products: tuple[Product, ...],
    book: Book,
) -> Seen[Spacing]:
    """The distance to the last dose, where the page has an interval and the order tells when it begins.

    A repeating order without a stated start goes on when the next dose is due. Lacking: the timing; the brand, where
    the label decides.
    """
    if repeating is True and stated_start is None:
        return Seen(())
    first = begins(order, stated_start)
    past = [g for g in of_indication(before.items, kin((indication,), book)) if g.day < first]
    records = {i.path: i for i in order.chart.infusions} if past else {}
    last = next((g for g in reversed(past) if not _renewed(g, order, records)), None)
    untimed = (UNTIMED,) if isinstance(repeating, Absent) and stated_start is None else ()
    if last is None or not phase:
        return Seen((), before.lacking if last is None else (*before.lacking, *untimed))
    named = products if isinstance(product, Absent) else (product,)
    limits = limits_for(book, indication, (phase,), named)
    interval, tolerance = limits.interval_lower, None
    if not limits.induction:
        tolerance = book.policy("schedule.interval_tolerance_days")
    if interval is None or interval.lower is None:
        return Seen(())
    days = (first - last.day).days
    courses = outline(order, whole_parts, book)
    further = (courses[0].span or 1) - 1 if courses else 0
    less = (tolerance.number if tolerance is not None else 0) + further
    found = Spacing(last, first, days, in_days(interval.lower) - less, interval, further, tolerance)
    if untimed:
        return Seen((), (*before.lacking, *untimed))
    once = limits.induction and bool(limits.pairs) and all(pair.most == 1 for pair in limits.pairs)
    if days <= book.policy("course.join_days").number and not once:
        return Seen((), before.lacking)  # it goes on with the last course
    lacking = list(before.lacking)
    if isinstance(product, Absent) and days >= found.least:
        each = limits_of_each(book, indication, (phase,), products)
        lowers = [one.interval_lower.lower for one in each if one.interval_lower and one.interval_lower.lower]
        lacking.extend(product.roots if any(days < in_days(lower) - less for lower in lowers) else ())
    return Seen((found,), tuple(dict.fromkeys(lacking)))


def _renewed(given: Given, order: Order, records: dict[str, Infusion]) -> bool:
    """Whether a dose belongs to the order that this one renews or is renewed by, or is only reckoned from a statement.

    Where a predecessor is named, a record that names no order of its own is taken for the predecessor's.
    """
    infusion = records.get(given.path)
    if infusion is None:
        return False
    if infusion.kind == "request":
        return renews(infusion, order)
    if is_laid_out(infusion):  # a statement of how often it is taken gives no exact days but the first
        return infusion.start is not None and given.day != infusion.start.day
    if infusion.based_on:
        asked = [i for i in records.values() if not set(i.names).isdisjoint(infusion.based_on)]
        return order.prior in infusion.based_on or any(renews(i, order) for i in asked)
    return bool(order.prior)
