"""Each course with the range that holds for it: by the page the order is judged by, or by the default ceiling."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct, structs

from ivig.core.book import Book, Indication, Product
from ivig.core.facts.amount import Dose
from ivig.core.facts.course import Course, laid_out, single
from ivig.core.facts.dose import Bases, PerKg
from ivig.core.facts.history import Given, keys_of
from ivig.core.facts.implausible import Implausible
from ivig.core.facts.limits import Limits, default_limits, fit, limits_for, limits_of_each, phases_of, tops_up
from ivig.core.finding import Absent, Root
from ivig.core.order import Amount, Order, Part
from ivig.core.rule import SECTION, Maybe, Seen, fact

_NO_DOSE, _NOTHING = Amount(Decimal(0), Decimal(0), "g", "", ""), Dose(Decimal(0), Decimal(0), False, "")


class Segment(Struct, frozen=True):
    """A course with its limits, and per kg where that can be told. `continues`: it goes on with an earlier one."""

    course: Course
    limits: Limits
    dose: PerKg | None
    continues: bool = False


class Phased(Struct, frozen=True):
    """A course per kg with its limits."""

    dose: PerKg
    limits: Limits
    continues: bool = False

    @property
    def course(self) -> Course:
        return self.dose.course


class Weighed(Struct, frozen=True):
    """What a page is held against to find the range of each course."""

    courses: tuple[Course, ...]
    doses: tuple[PerKg | None, ...]
    bases: Maybe[Bases]
    product: Maybe[Product]
    products: tuple[Product, ...]
    before: tuple[Given, ...]
    history_sent: bool
    first_day: date
    adult: Maybe[bool]
    book: Book


@fact
def weighed(
    courses: Seen[Course],
    per_kg: Seen[PerKg],
    bases: Maybe[Bases],
    product: Maybe[Product],
    products: tuple[Product, ...],
    before: Seen[Given],
    history_sent: bool,
    first_day: date,
    adult: Maybe[bool],
    book: Book,
) -> Weighed:
    """The courses and all that decides which range holds for them."""
    known = {id(held.course): held for held in per_kg.items}
    doses = tuple([known.get(id(course)) for course in courses.items])
    return Weighed(courses.items, doses, bases, product, products, before.items, history_sent, first_day, adult, book)


def segments_of(page: Indication, weighed: Weighed) -> Seen[Segment]:
    """Every course with the limits of `page`. Lacking: history or brand, where another one would judge otherwise."""
    found: list[Segment] = []
    lacking: list[Root] = []
    keys = keys_of(page, weighed.book) if weighed.before else frozenset[str]()
    cyclic = _cycles(weighed.courses, weighed.book)
    for place, (course, dose) in enumerate(zip(weighed.courses, weighed.doses, strict=True)):
        if page.phases:
            phases = phases_of(page, course, weighed.before, weighed.history_sent, weighed.book, cyclic or place > 0)
            limits, roots = _chosen(page, phases, course, dose, weighed)
            lacking.extend(roots)
        else:
            limits = default_limits(weighed.book, weighed.adult, course, (), page.title)
        continues = tops_up(course, weighed.first_day, weighed.before, keys, weighed.book)
        found.append(Segment(course, limits, dose, continues))
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _cycles(courses: tuple[Course, ...], book: Book) -> bool:
    """Whether single orders make up cycles: courses alike, each an interval of maintenance after the one before."""
    if len(courses) < 2 or any(c.repeats or c.days != courses[0].days for c in courses):
        return False
    weekly = book.policy("phase.maintenance_repeat_from_days").number / 2
    return all(b.offset - a.offset >= weekly for a, b in pairwise(courses))


def _chosen(
    page: Indication, phases: tuple[str, ...], course: Course, dose: PerKg | None, weighed: Weighed
) -> tuple[Limits, tuple[Root, ...]]:
    """The limits of the phase; where it is open, of the one the course fits, else of the nearer."""
    book, bases = weighed.book, weighed.bases
    named = weighed.products if isinstance(weighed.product, Absent) else (weighed.product,)
    options = [limits_for(book, page, (phase,), named) for phase in phases]
    limits = options[0]
    if len(options) == 1 and not isinstance(weighed.product, Absent):
        return limits, ()
    lacking: list[Root] = []
    if len(options) > 1:
        fits = [fit(course, dose, option, bases, book) for option in options]
        limits = min(zip(fits, options, strict=True), key=lambda f: f[0].distance)[1]
        limits = structs.replace(limits, assumed=f"The history was not sent: taken as {limits.phases[0]}.")
        lacking.append(SECTION)
    if isinstance(weighed.product, Absent) and len(weighed.products) > 1:
        flags = fit(course, dose, limits, bases, book).flags
        each = limits_of_each(book, page, limits.phases, weighed.products)
        if any(fit(course, dose, one, bases, book).flags != flags for one in each):
            lacking.extend(weighed.product.roots)
    return limits, tuple(lacking)


@fact
def segments(indication: Maybe[Indication], weighed: Weighed, courses: Seen[Course]) -> Seen[Segment]:
    """Every course with its limits. Without an indication the default ceiling holds, and the reason is lacking."""
    if isinstance(indication, Absent):
        made = tuple(
            Segment(c, default_limits(weighed.book, weighed.adult, c, indication.roots, "an unknown indication"), dose)
            for c, dose in zip(weighed.courses, weighed.doses, strict=True)
        )
        return Seen(made, tuple(dict.fromkeys((*courses.lacking, *indication.roots))))
    seen = segments_of(indication, weighed)
    if not courses.lacking:
        return seen
    return Seen(seen.items, tuple(dict.fromkeys((*courses.lacking, *seen.lacking))))


@fact
def phased(segments: Seen[Segment], per_kg: Seen[PerKg], implausible: Seen[Implausible]) -> Seen[Phased]:
    """Every course per kg with its limits, without the implausible: no range is held against an entry error."""
    faulty = {id(i.course) for i in implausible.items}
    found = tuple(
        [
            Phased(s.dose, s.limits, s.continues)
            for s in segments.items
            if s.dose is not None and id(s.course) not in faulty
        ]
    )
    return Seen(found, tuple(dict.fromkeys((*per_kg.lacking, *segments.lacking))))


@fact
def phase(
    order: Order,
    indication: Indication,
    courses: Seen[Course],
    whole_parts: tuple[Part, ...],
    before: Seen[Given],
    history_sent: bool,
    book: Book,
) -> str:
    """The phase of the order's first course: induction, maintenance, or '' when it could be either."""
    items = courses.items
    if not items and whole_parts:  # the phase rests on the timing alone
        join = int(book.policy("course.join_days").number)
        items = tuple(laid_out([(p, single(p, _NO_DOSE, _NOTHING, (), p.days)) for p in whole_parts], order.day, join))
    if not items:
        known = tuple(indication.phases)
        return known[0] if len(known) == 1 else ""
    phases = phases_of(indication, items[0], before.items, history_sent, book, _cycles(items, book))
    return phases[0] if len(phases) == 1 else ""
