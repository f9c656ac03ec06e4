"""The dose as courses: what is given on a day, in a course or cycle, and per kilogram."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.amount import Dose, Unusable, dose_of, to_grams
from ivig.core.facts.course import Cap, Course, laid_out, single, starts_on
from ivig.core.finding import Absent, Input, Root, plain
from ivig.core.order import Amount, Order, Part, Result
from ivig.core.rule import Maybe, Seen, fact, lacks

__all__ = ["Amount", "Bases", "Course", "Dose", "Grams", "Implausible", "PerKg", "Unusable", "to_grams"]

MISSING, UNTIMED = Root("dose-missing"), Root("schedule-missing")


class PerKg(Struct, frozen=True):
    """A course per kilogram of actual weight, with what it was computed from.

    `nominal`: the order says grams per kg and not of which weight, so that it holds for any.
    """

    course: Course
    day_low: Decimal
    day_high: Decimal
    total_low: Decimal | None
    total_high: Decimal | None
    grams_day: Decimal | None
    grams_total: Decimal | None
    sums: tuple[str, ...]
    inputs: tuple[Input, ...]
    grams_total_low: Decimal | None = None
    nominal: bool = False


class Grams(Struct, frozen=True):
    """A course in grams: lower and upper end of each different day, and of the whole course or cycle."""

    course: Course
    days: tuple[tuple[Decimal, Decimal], ...]
    total: tuple[Decimal, Decimal] | None
    sums: tuple[str, ...]
    inputs: tuple[Input, ...]


class Bases(Struct, frozen=True):
    """The weights a lower limit may rest on, in kg: the smallest that can be computed, and the smallest there could be.

    The latter is `floor`; `lacking` holds what would tell.
    """

    actual: Decimal
    smallest: Decimal
    name: str
    floor: Decimal
    ideal: Decimal | None = None
    adjusted: Decimal | None = None
    lacking: tuple[Root, ...] = ()
    sums: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    cites: tuple[Value, ...] = ()


class Implausible(Struct, frozen=True):
    """A day, course or dose that no page comes near: what is wrong, in which unit, and the bound."""

    course: Course
    what: str  # day | course | low
    got: Decimal
    bound: Value
    unit: str
    sums: tuple[str, ...]
    inputs: tuple[Input, ...]


@fact
def whole_parts(order: Order) -> tuple[Part, ...]:
    """The dosage instructions of the order, or of all orders of its group."""
    return order.group_parts or order.parts


@fact
def dosing_parts(whole_parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The instructions about a dose. Beside one with a dose, one without dose and timing is a rate step or a remark."""
    if not any(p.amount is not None for p in whole_parts):
        return whole_parts
    return tuple(p for p in whole_parts if p.amount is not None or p.said_timing)


@fact
def repeating(whole_parts: tuple[Part, ...]) -> Maybe[bool]:
    """Whether any instruction repeats in cycles, by the timing alone."""
    if any(p.interval is not None and p.cycles != 1 for p in whole_parts):
        return True
    if any(p.days is None for p in whole_parts) or not whole_parts:
        return Absent((UNTIMED,))
    return False


@fact
def unusable(dosing_parts: tuple[Part, ...], strength: Maybe[Decimal], products: tuple[Product, ...]) -> Seen[Unusable]:
    """Doses that are there but cannot become grams. Lacking: the dose of an instruction that has none."""
    made = tuple(dose_of(part, strength, products) for part in dosing_parts)
    bare = not made or any(m is None for m in made)
    return Seen(tuple(m for m in made if isinstance(m, Unusable)), (MISSING,) if bare else ())


@fact
def dose_lacking(courses: Seen[Course]) -> bool:
    """Whether some instruction has no dose that can be computed."""
    return MISSING in courses.lacking


def courses_of(
    order: Order, parts: tuple[Part, ...], strength: Maybe[Decimal], products: tuple[Product, ...], join_days: int
) -> Seen[Course]:
    """The courses that instructions make, in time order. Lacking: a dose, or when it is given."""
    made: list[tuple[Part, Course]] = []
    lacking: list[Root] = [] if parts else [MISSING]
    for part in parts:
        dose = dose_of(part, strength, products)
        if dose is None or isinstance(dose, Unusable):
            lacking.append(MISSING)
            continue
        caps = tuple(
            Cap(most.high, most.per_kg, cap.each)
            for cap in part.caps
            if isinstance(most := to_grams(cap, strength, products), Dose)
        )
        course = single(part, *dose, caps, part.days)
        if course.days is None:
            lacking.append(UNTIMED)
        made.append((part, course))
    return Seen(tuple(laid_out(made, order.day, join_days)) if made else (), tuple(dict.fromkeys(lacking)))


@fact
def courses(
    order: Order, dosing_parts: tuple[Part, ...], strength: Maybe[Decimal], products: tuple[Product, ...], book: Book
) -> Seen[Course]:
    """The courses of the order, or of its group. Lacking: a dose, or when it is given."""
    return courses_of(order, dosing_parts, strength, products, int(book.policy("course.join_days").number))


def places(order: Order, inputs: Iterable[Input]) -> tuple[str, ...]:
    """Where a finding points: the order, then the elements and evidence it rests on."""
    return tuple(dict.fromkeys((order.path, *(i.path for i in inputs if i.path))))


class Kilos(Struct, frozen=True):
    """The weight that turns an order per kg into grams, and what is lacking where that is not known. `nominal`: any."""

    kg: Decimal | None
    nominal: bool
    inputs: tuple[Input, ...] = ()
    lacking: tuple[Root, ...] = ()


@fact
def kilos(order: Order, weight: Maybe[Result], bases: Maybe[Bases]) -> Kilos:
    """The weight the order names, by number or by basis; else the chart's."""
    stated = order.stated_weight
    if stated is not None and stated.value is not None:
        return Kilos(stated.value, False, (Input("dosing weight on the order", stated.said, "", stated.path),))
    if isinstance(weight, Absent) or isinstance(bases, Absent):
        return Kilos(
            None, not order.stated_basis, lacking=(weight if isinstance(weight, Absent) else lacks(bases)).roots
        )
    if order.stated_basis in ("", "actual"):
        return Kilos(weight.value, not order.stated_basis)
    named = bases.ideal if order.stated_basis == "ideal" else bases.adjusted
    if named is None:
        return Kilos(None if bases.lacking else weight.value, False, bases.inputs, bases.lacking)
    return Kilos(named, False, bases.inputs)


def _inputs(course: Course, weight: Maybe[Result]) -> tuple[Input, ...]:
    doses = tuple(Input("dose", a.said, "", a.path) for a in course.amounts or (course.amount,))
    if isinstance(weight, Absent):
        return doses
    return (*doses, Input("weight", weight.said, weight.when.text if weight.when else "", weight.path))


@fact
def per_kg(courses: Seen[Course], weight: Maybe[Result], kilos: Kilos) -> Seen[PerKg]:
    """The courses per kg of actual weight.

    What is ordered per kg needs no weight, unless the order names one or a maximum in grams.
    """
    found: list[PerKg] = []
    lacking = list(courses.lacking)
    for course in courses.items:
        capped = course.cap_day is not None or course.cap_total is not None
        if isinstance(weight, Absent):
            if course.unit == "g" or capped or not kilos.nominal:
                lacking.extend(weight.roots)
            else:
                found.append(_nominal(course, _inputs(course, weight), None))
            continue
        assert weight.value is not None
        inputs = _inputs(course, weight)
        if course.unit == "g":
            found.append(_of_grams(course, weight.value, inputs))
        elif kilos.kg is None:  # per kg of an ideal or adjusted weight that cannot be told
            lacking.extend(kilos.lacking)
        elif kilos.kg == weight.value and not capped:
            found.append(_nominal(course, inputs, kilos.kg, kilos.nominal))
        else:
            found.append(_of_named(course, kilos, weight.value, inputs))
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _nominal(course: Course, inputs: tuple[Input, ...], kg: Decimal | None, nominal: bool = True) -> PerKg:
    """Ordered per kg of actual weight, or of a weight that is not known."""
    low, high = course.total_low, course.total_high
    return PerKg(
        course,
        course.day_low,
        course.day_high,
        low,
        high,
        None if kg is None else course.day_high * kg,
        None if kg is None or high is None else high * kg,
        (course.sum,),
        inputs,
        None if kg is None or low is None else low * kg,
        nominal,
    )


def _of_grams(course: Course, kg: Decimal, inputs: tuple[Input, ...]) -> PerKg:
    """Ordered in grams; the order's own maximum per kg caps it."""

    def share(grams: Decimal, cap: Decimal | None) -> Decimal:
        return grams / kg if cap is None else min(grams / kg, cap)

    low, high = course.total_low, course.total_high
    total_low = None if low is None else share(low, course.cap_total)
    total_high = None if high is None else share(high, course.cap_total)
    grams, got = (high, total_high) if high is not None else (course.day_high, share(course.day_high, course.cap_day))
    return PerKg(
        course,
        share(course.day_low, course.cap_day),
        share(course.day_high, course.cap_day),
        total_low,
        total_high,
        course.day_high,
        high,
        (course.sum, f"{plain(grams)} g / {plain(kg)} kg = {plain(got or Decimal(0))} g/kg"),
        inputs,
        low,
    )


def _of_named(course: Course, kilos: Kilos, actual: Decimal, inputs: tuple[Input, ...]) -> PerKg:
    """Ordered per kg of a weight that the order names, or with a maximum in grams: through grams to actual weight."""
    kg = kilos.kg
    assert kg is not None
    day_low, day_high = (_capped(end * kg, course.cap_day) for end in (course.day_low, course.day_high))
    low = high = None
    if course.total_low is not None and course.total_high is not None and course.days is not None:
        whole = None if course.cap_day is None else course.cap_day * course.days
        low, high = (
            _capped(_capped(end * kg, whole), course.cap_total) for end in (course.total_low, course.total_high)
        )
    shown, got = (high, course.total_high) if high is not None else (day_high, course.day_high)
    line = f"{plain(got or Decimal(0))} g/kg x {plain(kg)} kg"
    return PerKg(
        course,
        day_low / actual,
        day_high / actual,
        None if low is None else low / actual,
        None if high is None else high / actual,
        day_high,
        high,
        (course.sum, f"{line} = {plain(shown)} g; / {plain(actual)} kg actual = {plain(shown / actual)} g/kg"),
        (*inputs, *kilos.inputs),
        low,
    )


def _capped(grams: Decimal, cap: Decimal | None) -> Decimal:
    return grams if cap is None else min(grams, cap)


@fact
def in_grams(courses: Seen[Course], per_kg: Seen[PerKg], kilos: Kilos, weight: Maybe[Result]) -> Seen[Grams]:
    """The courses in grams. What is ordered in grams needs no weight."""
    return grams_of(courses, kilos, weight)


@fact
def day_grams(in_grams: Seen[Grams]) -> Seen[Grams]:
    """The same, where only the dose of a day counts: an open number of days is then no matter."""
    days_matter = any(not g.course.day_known for g in in_grams.items)
    return Seen(in_grams.items, tuple(r for r in in_grams.lacking if days_matter or r != UNTIMED))


def grams_of(courses: Seen[Course], kilos: Kilos, weight: Maybe[Result]) -> Seen[Grams]:
    """Courses in grams, the order's own maxima in grams applied."""
    found: list[Grams] = []
    lacking = list(courses.lacking)
    for course in courses.items:
        kg, cap = (Decimal(1), None) if course.unit == "g" else (kilos.kg, course.cap_day)
        if kg is None:
            lacking.extend(kilos.lacking or (weight.roots if isinstance(weight, Absent) else ()))
            continue
        each = {(d.low, d.high) for d in course.plan} or (
            {(course.day_low, course.day_high)} if course.day_known else set()
        )
        total = None
        if course.total_low is not None and course.total_high is not None:
            whole = None if cap is None or course.days is None else cap * course.days
            total = (_capped(course.total_low * kg, whole), _capped(course.total_high * kg, whole))
        weighed = course.unit != "g"
        found.append(
            Grams(
                course,
                tuple((_capped(low * kg, cap), _capped(high * kg, cap)) for low, high in sorted(each)),
                total,
                (course.sum, f"at {plain(kg)} kg") if weighed else (course.sum,),
                (*_inputs(course, weight if weighed else Absent(())), *(kilos.inputs if weighed else ())),
            )
        )
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


@fact
def implausible(courses: Seen[Course], per_kg: Seen[PerKg], weight: Maybe[Result], book: Book) -> Seen[Implausible]:
    """Days and courses that no page comes near. They are an entry error, and no range is held against them."""
    found = []
    weighed = {id(held.course): held for held in per_kg.items}
    for course in courses.items:
        held = weighed.get(id(course))
        if held is None and course.unit == "g":
            most, least = book.policy("dose.implausible.day_g"), book.policy("dose.implausible.low_g")
            fault = _beyond(course.day_low, course.day_high, course, None, (most, None, least))
            sums: tuple[str, ...] = (course.sum,)
            inputs = _inputs(course, weight)
        else:
            bounds = (
                book.policy("dose.implausible.day_g_per_kg"),
                book.policy("dose.implausible.course_g_per_kg"),
                book.policy("dose.implausible.low_g_per_kg"),
            )
            day_low, day_high, total = (
                (held.day_low, held.day_high, held.total_high)
                if held is not None
                else (course.day_low, course.day_high, course.total_high)
            )
            fault = _beyond(day_low, day_high, course, total, bounds)
            sums, inputs = (held.sums, held.inputs) if held is not None else ((course.sum,), _inputs(course, weight))
        if fault is not None:
            what, got, bound = fault
            found.append(
                Implausible(
                    course, what, got, bound, "g" if held is None and course.unit == "g" else "g/kg", sums, inputs
                )
            )
    return Seen(tuple(found), per_kg.lacking)


def _beyond(
    low: Decimal, high: Decimal, course: Course, total: Decimal | None, bounds: tuple[Value, Value | None, Value]
) -> tuple[str, Decimal, Value] | None:
    """What lies beyond which bound. A course dose on unknown days is no day's dose, but no day is larger."""
    day_most, course_most, least = bounds
    if course.day_known and high > day_most.number:
        return "day", high, day_most
    if course_most is not None and total is not None and total > course_most.number:
        return "course", total, course_most
    return ("low", low, least) if low < least.number else None


@fact
def first_day(order: Order, whole_parts: tuple[Part, ...]) -> date:
    """The first planned infusion day; the day of judgement when none is stated or it lies before."""
    starts = [day for p in whole_parts if (day := starts_on(p)) is not None]
    return max(min(starts), order.day) if starts else order.day
