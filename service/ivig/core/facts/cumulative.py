"""Immune globulin of all orders and products within the days over which it is added up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_CEILING, Decimal
from itertools import groupby

from msgspec import Struct, structs

from ivig.core.book import Book, Indication, Product
from ivig.core.dated import Value, later
from ivig.core.facts.chart import section
from ivig.core.facts.course import Course
from ivig.core.facts.dose import Kilos
from ivig.core.facts.due import days_until_due
from ivig.core.facts.history import Given, counts, evidence, route_of, strength_of, turns_of
from ivig.core.facts.limits import INDUCTION, MAINTENANCE, Limits, in_days, limits_for, within
from ivig.core.facts.segment import Phased
from ivig.core.finding import Absent, Input, Root, plain
from ivig.core.order import Infusion, Order, Result
from ivig.core.rule import SECTION, Maybe, Seen, fact

_ROUTES = ("iv", "sc")


class Portion(Struct, frozen=True):
    """One day's dose, given or planned: grams, or g/kg where no weight is known. `course` tells own cycles apart."""

    day: date
    dose: Decimal
    path: str
    course: str = ""
    kind: str = ""


class Cumulative(Struct, frozen=True):
    """The window of days with the most immune globulin, in g/kg of actual weight."""

    got: Decimal
    limit: Decimal
    first: date
    last: date
    what: str
    sums: tuple[str, ...]
    inputs: tuple[Input, ...]
    cites: tuple[Value, ...]


class AddedUp(Struct, frozen=True):
    """The window with the most immune globulin, as a sum, and the most a page allows in it, in g/kg.

    `alone`: it holds nothing but one course of this order, which other rules judge.
    """

    line: str
    most: Decimal
    why: str
    alone: bool


_TOLD = 12  # doses shown in a sum


@fact
def cumulative(
    order: Order,
    phased: Seen[Phased],
    kilos: Kilos,
    weight: Maybe[Result],
    indication: Maybe[Indication],
    products: tuple[Product, ...],
    first_day: date,
    stated_start: date | None,
    given: Seen[Given],
    book: Book,
) -> Seen[Cumulative]:
    """The order's own doses, each once, and all others given or planned, where they exceed what a page allows."""
    lacking: list[Root] = [*phased.lacking, *section(order, "medications")]
    single = len(phased.items) == 1 and not phased.items[0].course.repeats
    if not phased.items or (single and all(i.path == order.path for i in order.chart.infusions)):
        # A single course, and nothing beside it.
        return Seen((), tuple(dict.fromkeys(lacking)))
    found, lacks, kg = _window(order, phased, kilos, weight, first_day, stated_start, given, book)
    lacking.extend(lacks)
    if not found or len({p.course or p.path for p in found}) < 2:
        return Seen((), tuple(dict.fromkeys(lacking)))
    allowed, why, cites = _allowed(found, phased.items[0].limits, indication, products, kg, book)
    factor = book.policy("dose.cumulative_factor")
    grams = sum((p.dose for p in found), Decimal(0))
    if allowed is None or grams <= allowed * factor.number * kg:
        return Seen((), tuple(dict.fromkeys(lacking)))
    unit, shown = _line(found, kg, weight)
    inputs = tuple(
        Input("dose of another order", f"{plain(p.dose)} {unit}", p.day.isoformat(), p.path)
        for p in found[:_TOLD]
        if not p.course
    )
    item = Cumulative(
        grams / kg,
        allowed * factor.number,
        found[0].day,
        found[-1].day,
        phased.items[0].limits.what,
        (
            f"{found[0].day} to {found[-1].day}: {shown}",
            f"Limit: {why} x {plain(factor.number)} = {plain(allowed * factor.number)} g/kg",
        ),
        (*phased.items[0].dose.inputs, *inputs),
        (*cites, factor, book.policy("dose.cumulative_days")),
    )
    return Seen((item,))


@fact
def added_up(
    order: Order,
    phased: Seen[Phased],
    kilos: Kilos,
    weight: Maybe[Result],
    indication: Maybe[Indication],
    products: tuple[Product, ...],
    first_day: date,
    stated_start: date | None,
    given: Seen[Given],
    book: Book,
) -> Maybe[AddedUp]:
    """The same window where it exceeds nothing: asked for only where the sum is shown."""
    if not phased.items:
        return Absent(())
    found, _, kg = _window(order, phased, kilos, weight, first_day, stated_start, given, book)
    allowed, why, _ = _allowed(found, phased.items[0].limits, indication, products, kg, book)
    if allowed is None:
        return Absent(())
    factor = book.policy("dose.cumulative_factor")
    line, alone = _line(found, kg, weight)[1], len({p.course or p.path for p in found}) < 2
    return AddedUp(line, allowed * factor.number, f"{why} x {plain(factor.number)}", alone)


def _window(
    order: Order,
    phased: Seen[Phased],
    kilos: Kilos,
    weight: Maybe[Result],
    first_day: date,
    stated_start: date | None,
    given: Seen[Given],
    book: Book,
) -> tuple[list[Portion], list[Root], Decimal]:
    """The doses of the window with the most, what is lacking to tell it, and the weight they are held against."""
    window = int(book.policy("dose.cumulative_days").number)
    kg = Decimal(1) if isinstance(weight, Absent) or weight.value is None else weight.value
    own = [p for held in phased.items for p in _own(held, kilos, weight, first_day, 2 * window)]
    others: list[Portion] = []
    lacking: list[Root] = []
    past = [g for g in _past(order, given, book) if not g.own]
    if past and stated_start is None and len(phased.items) == 1:
        own = _goes_on(own, order, phased.items[0].course, past, book)
    first, until = min(p.day for p in own), max(p.day for p in own)
    if any(g.grams is None and g.per_kg is None and 0 <= (first - g.day).days < window for g in past):
        lacking.append(SECTION)  # something was given, and how much is not on record
    for portion in _others(order, book, past, {p.day for p in own}, first, until):
        if portion.kind == "g" and isinstance(weight, Absent):
            lacking.extend(weight.roots)
        else:
            others.append(portion if portion.kind == "g" else _weighed(portion, kg))
    return _most(own, others, window), lacking, kg


def _past(order: Order, given: Seen[Given], book: Book) -> Iterable[Given]:
    """What was given by all routes that count: that by vein, which is known already, where nothing else is on record."""
    if any(route_of(infusion) == "sc" for infusion in order.chart.infusions):
        return evidence(order, book, _ROUTES).values()
    return given.items


def _goes_on(own: list[Portion], order: Order, course: Course, past: list[Given], book: Book) -> list[Portion]:
    """The doses of an order that states no start, from the day on which the next cycle is due."""
    first = min(own, key=lambda p: p.day)
    cycle = sum((p.dose for p in own if p.course == first.course), Decimal(0))
    wait = days_until_due(order, course, cycle, past, first.day, book)
    return [structs.replace(p, day=later(p.day, wait)) for p in own] if wait else own


def _line(found: list[Portion], kg: Decimal, weight: Maybe[Result]) -> tuple[str, str]:
    """The unit, and the sum in it; per kg of actual weight too."""
    unit, total = "g/kg" if isinstance(weight, Absent) else "g", sum((p.dose for p in found), Decimal(0))
    runs = [(plain(dose), len(list(same))) for dose, same in groupby(p.dose for p in found)]
    said = " + ".join(f"{n} x {dose}" if n > 1 else dose for dose, n in runs[:_TOLD])
    said += " + ..." if len(runs) > _TOLD else ""
    line = f"{said} = {plain(total)} {unit}" if len(found) > 1 else f"{plain(total)} {unit}"
    return unit, line if unit == "g/kg" else f"{line}; / {plain(kg)} kg = {plain(total / kg)} g/kg"


def _weighed(portion: Portion, kg: Decimal) -> Portion:
    return Portion(portion.day, portion.dose * kg, portion.path, portion.course, portion.kind)


def _own(held: Phased, kilos: Kilos, weight: Maybe[Result], first_day: date, days: int) -> list[Portion]:
    """The order's own planned doses: all days of a course, and cycles as far as any window could reach."""
    course = held.course
    begin = course.start or later(first_day, course.offset)
    if isinstance(weight, Absent) or course.unit == "g":
        factor, cap = Decimal(1), None
    else:
        factor, cap = (kilos.kg if kilos.kg is not None else weight.value or Decimal(1)), course.cap_day
    plan = [(d.offset, d.high * factor) for d in course.plan] or [(0, _whole(course) * factor)]
    made = []
    for cycle, shift in enumerate(_shifts(course, days)):
        key = f"{course.path} {course.offset} {cycle}"
        for offset, dose in plan:
            day = later(begin, shift + offset)
            made.append(Portion(day, dose if cap is None else min(dose, cap), course.dose_path, key))
    return made


def _whole(course: Course) -> Decimal:
    """What is known to be given when its days are not: the whole, or at least one day."""
    return course.total_high if course.total_high is not None else course.day_high


def _shifts(course: Course, days: int) -> list[int]:
    if not course.repeats or course.interval is None or course.interval < 1:
        return [0]
    most = int(days / course.interval) + 1
    return [int(course.interval * cycle) for cycle in range(min(course.cycles or most, most))]


def _others(
    order: Order, book: Book, given: list[Given], own_days: set[date], begin: date, until: date
) -> list[Portion]:
    """Doses of the past, and planned ones of other running orders; of a renewed order only up to the new one."""
    taken_over = {i.path: last for i in order.chart.infusions if (last := _taken_over(i, order, begin, book))}
    past = [
        Portion(g.day, dose, g.path, kind="g" if g.grams is not None else "g/kg")
        for g in given
        if (dose := g.grams if g.grams is not None else g.per_kg) is not None
        # An administration on a planned day that does not name its order is taken as a dose of the judged one.
        if not (g.day in own_days and g.kind == "administration") and g.day <= taken_over.get(g.path, g.day)
    ]
    planned: list[Portion] = []
    for infusion in order.chart.infusions:
        if infusion.kind != "request" or infusion.status != "active" or route_of(infusion) not in _ROUTES:
            continue
        if not counts(infusion, order):
            continue
        last = later(begin, -1) if _renewed(infusion, order) else until
        turns = turns_of(infusion, last, *strength_of(infusion, book))
        planned += [
            Portion(t.day, t.dose, infusion.path, kind=t.unit)
            for t in turns
            if t.day > order.day and t.dose is not None
        ]
    return past + planned


def _taken_over(infusion: Infusion, order: Order, begin: date, book: Book) -> date | None:
    """The last day on which a record that the judged order goes on with has doses of its own.

    A statement of how often it is taken gives no exact days: its next dose is the order's first.
    """
    if infusion.kind not in ("request", "statement") or not _renewed(infusion, order):
        return None
    if infusion.kind == "request":
        return later(begin, -1)
    least = min((p.interval for p in infusion.parts if p.interval is not None), default=Decimal(0))
    return later(begin, -max(Decimal(1), least - book.policy("schedule.interval_tolerance_days").number))


def _renewed(infusion: Infusion, order: Order) -> bool:
    """Whether the judged order takes this one's place: it says so, or the product and the interval are the same.

    Of two orders that begin on one day neither renews the other: both are to be given.
    """
    if order.prior in infusion.names:
        return True
    if infusion.kind == "request" and _begin(infusion) == _begin(order):
        return False
    alike = not infusion.products or not order.products or not set(infusion.products).isdisjoint(order.products)
    theirs = {p.interval for p in infusion.parts if p.interval is not None}
    return alike and bool(theirs) and theirs == {p.interval for p in order.parts if p.interval is not None}


def _begin(ordered: Infusion | Order) -> date | None:
    """The first day that an order states, else the day on which it was written."""
    stated = [p.start.day if p.start is not None else min(p.events) for p in ordered.parts if p.start or p.events]
    if stated:
        return min(stated)
    if isinstance(ordered, Order):
        return ordered.authored.day if ordered.authored is not None else ordered.day
    written = ordered.asked or ordered.start
    return written.day if written is not None else None


def _most(own: list[Portion], others: list[Portion], days: int) -> list[Portion]:
    """The window with the most of those that hold a dose of the order."""
    every = sorted((*own, *others), key=lambda p: p.day)
    best: list[Portion] = []
    most = Decimal(0)
    when = [p.day.toordinal() for p in every]
    for end in dict.fromkeys(when):
        held = every[bisect_right(when, end - days) : bisect_right(when, end)]
        total = sum((p.dose for p in held), Decimal(0))
        if total > most and any(p.course for p in held):
            best, most = held, total
    return best


def _allowed(
    found: list[Portion],
    limits: Limits,
    indication: Maybe[Indication],
    products: tuple[Product, ...],
    kg: Decimal,
    book: Book,
) -> tuple[Decimal | None, str, tuple[Value, ...]]:
    """The highest range of the page in g/kg; more where its own schedule has more than one dose in the window."""
    highest = limits.highest
    if highest is None or highest.upper is None:
        return None, "", ()
    top, said = highest.upper, f"highest range {plain(highest.upper)} g/kg"
    if isinstance(indication, Absent) or MAINTENANCE not in indication.phases:
        return top, said, (highest,)
    upkeep = limits_for(book, indication, (MAINTENANCE,), products)
    low, upper = upkeep.interval_lower, upkeep.upper
    if low is None or low.lower is None or upper is None or upper.upper is None:
        return top, said, (highest,)
    if INDUCTION not in indication.phases:
        window = book.policy("dose.cumulative_days").number
        cycles = (window / in_days(low.lower)).to_integral_value(ROUND_CEILING)
        return top * cycles, f"{said} x {plain(cycles)} cycles in {plain(window)} days", (highest, low)
    if _loading_then_upkeep(found, upper.upper * kg, in_days(low.lower), book):
        return top + upper.upper, f"{said} + first maintenance dose {plain(upper.upper)} g/kg", (highest, upper)
    return top, said, (highest,)


def _loading_then_upkeep(found: list[Portion], most: Decimal, interval: Decimal, book: Book) -> bool:
    """Whether a first course and, an interval later, the first maintenance dose make up the window."""
    join = int(book.policy("course.join_days").number)
    clusters: list[list[Portion]] = []
    for portion in found:
        if clusters and (portion.day - clusters[-1][-1].day).days <= join:
            clusters[-1].append(portion)
        else:
            clusters.append([portion])
    if len(clusters) != 2:
        return False
    tolerance = book.policy("dose.tolerance")
    first, second = (sum((p.dose for p in c), Decimal(0)) for c in clusters)
    apart = (clusters[1][0].day - clusters[0][-1].day).days
    early = book.policy("schedule.interval_tolerance_days").number
    return not within(first, most, tolerance) and within(second, most, tolerance) and apart >= interval - early
