"""Immune globulin that was given or ordered before: courses, the last infusion, whether this is a first course."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication, Product
from ivig.core.dated import later
from ivig.core.facts.amount import Dose, to_grams
from ivig.core.facts.chart import section
from ivig.core.facts.course import Course, laid_out, single
from ivig.core.finding import Root, absent
from ivig.core.order import Amount, Infusion, Order, Part
from ivig.core.rule import Maybe, Seen, fact

__all__ = ["Course", "later"]

_GIVEN = {
    "administration": ("completed", "in-progress", "stopped"),
    "dispense": ("completed",),
    "immunization": ("completed",),
    "statement": ("active", "completed", "recorded", "stopped", "on-hold"),
    "request": ("active", "completed", "stopped"),
}
_BEST = ("administration", "dispense", "immunization", "statement", "request")
_NEVER_INTENT = ("proposal", "plan", "option")
_OVER = ("completed", "stopped")
_LAID_OUT = ("request", "statement")  # records that tell of many doses by their timing
_NO_DOSE, _NOTHING = Amount(Decimal(0), Decimal(0), "g", "", ""), Dose(Decimal(0), Decimal(0), False, "")
_MOST_CYCLES = 1000
_JOIN = 31  # days of evidence are looked at one by one: where its courses part is of no account here


class Given(Struct, frozen=True):
    """Immune globulin on one day of the past, in grams or per kg where known. `own`: of the judged order."""

    day: date
    path: str
    kind: str
    route: str
    products: tuple[str, ...]
    indications: tuple[str, ...]
    grams: Decimal | None = None
    per_kg: Decimal | None = None
    own: bool = False


class Turn(Struct, frozen=True):
    """One day of a record: the dose in `unit`, or None where it cannot be told."""

    day: date
    dose: Decimal | None
    unit: str = "g"


_STANDS = ("draft", "active", "on-hold", "")


def same_order(infusion: Infusion, order: Order) -> bool:
    """Whether a chart record is the judged order itself, its parent or child, its group, or what it renews."""
    if infusion.path == order.path:
        return True
    if infusion.kind == "request":
        if infusion.identifiers and not set(infusion.identifiers).isdisjoint(order.identifiers):
            return True
        if not set(infusion.names).isdisjoint((*order.ref_ids, *order.based_on)):
            return True
        if not set(infusion.based_on).isdisjoint(order.ref_ids):
            return True
        # A request of the group that is over is a dose given before; the others are judged as one course.
        stands = infusion.status in _STANDS
        return infusion.path in order.together or (stands and bool(infusion.group) and infusion.group == order.group)
    return False


def days_of(infusion: Infusion, until: date) -> list[date]:
    """The days up to `until` on which a record says it was given; of a request, the days planned up to then."""
    return sorted({turn.day for turn in turns_of(infusion, until, absent("product-unspecified"), ())})


def turns_of(infusion: Infusion, until: date, strength: Maybe[Decimal], pages: tuple[Product, ...]) -> Iterator[Turn]:
    """The days of a record up to `until` with their doses, laid out like those of an order."""
    if infusion.start is None:
        return
    first = infusion.start.day
    if not is_laid_out(infusion):
        if first <= until:
            dose = to_grams(infusion.amount, strength, pages) if infusion.amount is not None else None
            yield Turn(first, dose.high, dose.unit) if isinstance(dose, Dose) else Turn(first, None)
        if infusion.kind == "statement" and infusion.end is not None and first < infusion.end.last <= until:
            yield Turn(infusion.end.last, None)  # it was given from then till then, how often is not told
        return
    last = min(until, infusion.end.last) if infusion.end is not None else until
    items: list[tuple[Part, Course]] = []
    for part in infusion.parts:
        made = to_grams(part.amount, strength, pages) if part.amount is not None else None
        amount, known = (
            (part.amount, made) if part.amount is not None and isinstance(made, Dose) else (_NO_DOSE, _NOTHING)
        )
        items.append((part, single(part, amount, known, (), part.days or 1)))
    courses = laid_out(items, first, _JOIN)
    base = next((later(c.start, -c.offset) for c in courses if c.start is not None), first)
    for course in courses:
        begin = later(base, course.offset)
        told = all(a is not _NO_DOSE for a in course.amounts or (course.amount,))
        for shift in _shifts(course, begin, last):
            for day in course.plan:
                on = later(begin, shift + day.offset)
                if on <= last:
                    yield Turn(on, day.high if told and course.day_known else None, course.unit)


def is_laid_out(infusion: Infusion) -> bool:
    """Whether a record tells the days of its doses by its dosage; a statement only where that has a timing."""
    if infusion.kind == "statement":
        return any(p.days is not None or p.interval is not None or p.events for p in infusion.parts)
    return infusion.kind == "request" and bool(infusion.parts)


def _shifts(course: Course, begin: date, last: date) -> Iterator[int]:
    """Days from the first cycle to each cycle that begins by `last`."""
    yield 0
    if course.interval is None or course.interval < 1:
        return
    for cycle in range(1, min(course.cycles or _MOST_CYCLES, _MOST_CYCLES)):
        shift = int(course.interval * cycle)
        if later(begin, shift) > last:
            return
        yield shift


def strength_of(infusion: Infusion, book: Book) -> tuple[Maybe[Decimal], tuple[Product, ...]]:
    """The strength that all products of a record share, and their pages."""
    found: tuple[Maybe[Decimal], tuple[Product, ...]] = book.memory(
        ("strength", infusion.products), lambda: _strength_of(infusion.products, book)
    )
    return found


def _strength_of(products: tuple[str, ...], book: Book) -> tuple[Maybe[Decimal], tuple[Product, ...]]:
    pages = tuple(book.product(k) for k in products)
    known = {p.strength.amount for p in pages if p.strength is not None and p.strength.amount is not None}
    return next(iter(known)) if len(known) == 1 else absent("product-unspecified"), pages


def counts(infusion: Infusion, order: Order) -> bool:
    """Whether a record is evidence of immune globulin given outside of the judged order's own request and dispenses."""
    if infusion.status not in _GIVEN.get(infusion.kind, ()) or infusion.intent in _NEVER_INTENT:
        return False
    return not same_order(infusion, order) and not (infusion.kind == "dispense" and is_own(infusion, order))


def is_own(infusion: Infusion, order: Order) -> bool:
    return not set(infusion.based_on).isdisjoint(order.ref_ids)


def _until(infusion: Infusion, order: Order, book: Book) -> date:
    """How far a request's planned days count: to the day of judgement; less far when it is over and has no end."""
    over = infusion.kind in _LAID_OUT and infusion.status in _OVER
    if not over or infusion.end is not None or infusion.start is None:
        return order.day
    return min(order.day, later(infusion.start.day, book.policy("history.unknown_end_days").number))


def evidence(order: Order, book: Book, routes: tuple[str, ...]) -> dict[date, Given]:
    """Days of the past on which immune globulin was given by these routes, by the best evidence there is of each."""
    found: dict[date, Given] = {}
    standing = [i for i in order.chart.infusions if i.path != order.path and route_of(i) in routes and counts(i, order)]
    if not standing:
        return found
    join, kinds = int(book.policy("course.join_days").number), {i.kind for i in standing}
    for kind in _BEST:
        if kind not in kinds:
            continue
        made: dict[date, Given] = {}
        for infusion in standing:
            if infusion.kind != kind:
                continue
            strength, pages = strength_of(infusion, book)
            better = [d for d, g in found.items() if _alike(g, infusion)]
            told = kind == "request" or is_laid_out(infusion)
            if told and infusion.start is not None and any(d >= infusion.start.day for d in better):
                continue  # its doses are on record as given; what is planned beside them was not
            for turn in turns_of(infusion, _until(infusion, order, book), strength, pages):
                if turn.day in found or any(abs((turn.day - d).days) <= join for d in better):
                    continue
                made[turn.day] = _added(made.get(turn.day), turn, infusion, order)
        found.update(made)
    return found


def route_of(infusion: Infusion) -> str:
    """`iv` or `sc`, else what is no polyvalent immune globulin given so. Unstated it is the product's, else a vein."""
    if infusion.kind_of_product not in ("", "polyvalent-iv", "polyvalent-sc"):
        return "other"
    return infusion.route or ("sc" if infusion.kind_of_product == "polyvalent-sc" else "iv")


@fact
def given(order: Order, book: Book) -> Seen[Given]:
    """Days of the past on which immune globulin was given by vein."""
    found = evidence(order, book, ("iv",))
    return Seen(tuple([found[d] for d in sorted(found)]), section(order, "medications"))


def _alike(given: Given, infusion: Infusion) -> bool:
    """Whether a record may tell of a dose that better evidence tells of: nothing says that it is another product."""
    return not given.products or not infusion.products or not set(given.products).isdisjoint(infusion.products)


def _added(known: Given | None, turn: Turn, infusion: Infusion, order: Order) -> Given:
    """A day's dose; records of the same kind on one day are parts of it."""
    grams, per_kg = (None, turn.dose) if turn.unit == "g/kg" else (turn.dose, None)
    if known is None:
        return Given(
            turn.day,
            infusion.path,
            infusion.kind,
            infusion.route,
            infusion.products,
            infusion.indications,
            grams,
            per_kg,
            is_own(infusion, order),
        )
    return Given(
        known.day,
        known.path,
        known.kind,
        known.route,
        known.products,
        known.indications,
        _sum(known.grams, grams),
        _sum(known.per_kg, per_kg),
        known.own and is_own(infusion, order),
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else one + other


@fact
def history_sent(order: Order) -> bool:
    """Whether the chart would show earlier immune globulin at all."""
    return "medications" in order.chart.sections


@fact
def before(order: Order, given: Seen[Given], first_day: date) -> Seen[Given]:
    """What was given before this order's first day; never its own doses."""
    if not given.items:
        return given
    return Seen(
        tuple(
            g for g in given.items if not g.own and (g.day < first_day or (g.day == first_day and g.kind != "request"))
        ),
        given.lacking,
    )


@fact
def last_infusion(before: Seen[Given]) -> Given | None:
    return before.items[-1] if before.items else None


@fact
def new_start(before: Seen[Given], first_day: date, book: Book) -> bool:
    """A first course, or one after a long gap, as far as the chart shows."""
    if not before.items:
        return True
    return (first_day - before.items[-1].day).days > book.policy("course.new_start_after_weeks").number * 7


def of_indication(given: tuple[Given, ...], keys: frozenset[str]) -> tuple[Given, ...]:
    """What was given for one of these indications, or for a reason that is not recorded."""
    if not given:
        return ()
    return tuple(g for g in given if not g.indications or not keys.isdisjoint(g.indications))


def keys_of(page: Indication, book: Book) -> frozenset[str]:
    """The page and the others of its family: doses for any of them are doses for the same disease."""
    if not page.family:
        return frozenset({page.key})
    found: frozenset[str] = book.memory(
        ("family", page.family),
        lambda: frozenset(k for k in book.indications() if book.indication(k).family == page.family),
    )
    return found


@fact
def product_before(last_infusion: Given | None, book: Book) -> tuple[Product, ...]:
    """What the last infusion may have been."""
    return tuple(book.product(k) for k in last_infusion.products) if last_infusion is not None else ()


def missing_history(seen: Seen[Given]) -> tuple[Root, ...]:
    return seen.lacking


def ends(course: Course) -> date | None:
    """The last day of a course that has a start and an end."""
    return later(course.start, course.span - 1) if course.start is not None and course.span is not None else None
