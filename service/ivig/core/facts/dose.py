"""The dose as courses: what is given on a day, in a course or cycle, and per kilogram."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.amount import Dose, Unusable, dose_of, to_grams
from ivig.core.facts.course import Cap, Course, laid_out, single, starts_on
from ivig.core.finding import Absent, Input, Root, plain
from ivig.core.order import Order, Part, Result
from ivig.core.rule import Maybe, Seen, fact, lacks

MISSING, UNTIMED = Root("dose-missing"), Root("schedule-missing")


class PerKg(Struct, frozen=True):
    """A course per kilogram of actual weight, with what it was computed from.

    `nominal`: the order says grams per kg and not of which weight, so that it holds for any. `tell` makes its sums and
    its inputs, when someone asks.
    """

    course: Course
    day_low: Decimal
    day_high: Decimal
    total_low: Decimal | None
    total_high: Decimal | None
    grams_day: Decimal | None
    grams_total: Decimal | None
    tell: Callable[[], tuple[tuple[str, ...], tuple[Input, ...]]]
    grams_total_low: Decimal | None = None
    nominal: bool = False

    @property
    def sums(self) -> tuple[str, ...]:
        return self.tell()[0]

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.tell()[1]


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


@fact
def whole_parts(order: Order) -> tuple[Part, ...]:
    """The dosage instructions of the order, or of all orders of its group."""
    return order.group_parts or order.parts


@fact
def dosing_parts(whole_parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The instructions about a dose. Beside one with a dose, one without dose and timing is a rate step or a remark."""
    dosed = [p for p in whole_parts if p.amount is not None]
    if not dosed or len(dosed) == len(whole_parts):
        return whole_parts
    return tuple(p for p in whole_parts if p.amount is not None or p.said_timing)


@fact
def repeating(whole_parts: tuple[Part, ...]) -> Maybe[bool]:
    """Whether any instruction repeats in cycles, by the timing alone."""
    open_ended = not whole_parts
    for p in whole_parts:
        if p.interval is not None and p.cycles != 1:
            return True
        open_ended = open_ended or p.days is None
    return Absent((UNTIMED,)) if open_ended else False


@fact
def unusable(dosing_parts: tuple[Part, ...], strength: Maybe[Decimal], products: tuple[Product, ...]) -> Seen[Unusable]:
    """Doses that are there but cannot become grams. Lacking: the dose of an instruction that has none."""
    made = [dose_of(part, strength, products) for part in dosing_parts]
    bare = not made or None in made
    return Seen(tuple([m for m in made if m.__class__ is Unusable]), (MISSING,) if bare else ())


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
        course = single(part, *dose, _caps(part, strength, products) if part.caps else (), part.days)
        if course.days is None:
            lacking.append(UNTIMED)
        made.append((part, course))
    return Seen(tuple(laid_out(made, order.day, join_days)) if made else (), tuple(dict.fromkeys(lacking)))


def _caps(part: Part, strength: Maybe[Decimal], products: tuple[Product, ...]) -> tuple[Cap, ...]:
    """The order's own maxima, as far as they can become grams or grams per kg."""
    made = ((cap.each, to_grams(cap, strength, products)) for cap in part.caps)
    return tuple(Cap(most.high, most.per_kg, each) for each, most in made if isinstance(most, Dose))


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


def inputs_of(course: Course, weight: Maybe[Result]) -> tuple[Input, ...]:
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
                found.append(_nominal(course, weight, None))
            continue
        assert weight.value is not None
        if course.unit == "g":
            found.append(_of_grams(course, weight.value, weight))
        elif kilos.kg is None:  # per kg of an ideal or adjusted weight that cannot be told
            lacking.extend(kilos.lacking)
        elif kilos.kg == weight.value and not capped:
            found.append(_nominal(course, weight, kilos.kg, kilos.nominal))
        else:
            found.append(_of_named(course, kilos, weight.value, weight))
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _nominal(course: Course, weight: Maybe[Result], kg: Decimal | None, nominal: bool = True) -> PerKg:
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
        lambda: ((course.sum,), inputs_of(course, weight)),
        None if kg is None or low is None else low * kg,
        nominal,
    )


def _of_grams(course: Course, kg: Decimal, weight: Result) -> PerKg:
    """Ordered in grams; the order's own maximum per kg caps it."""

    def share(grams: Decimal, cap: Decimal | None) -> Decimal:
        return grams / kg if cap is None else min(grams / kg, cap)

    low, high = course.total_low, course.total_high
    total_low = None if low is None else share(low, course.cap_total)
    total_high = None if high is None else share(high, course.cap_total)
    day_high = share(course.day_high, course.cap_day)

    def tell() -> tuple[tuple[str, ...], tuple[Input, ...]]:
        grams, got = (high, total_high) if high is not None else (course.day_high, day_high)
        line = f"{plain(grams)} g / {plain(kg)} kg = {plain(got or Decimal(0))} g/kg"
        return (course.sum, line), inputs_of(course, weight)

    return PerKg(
        course,
        share(course.day_low, course.cap_day),
        day_high,
        total_low,
        total_high,
        course.day_high,
        high,
        tell,
        low,
    )


def _of_named(course: Course, kilos: Kilos, actual: Decimal, weight: Result) -> PerKg:
    """Ordered per kg of a weight that the order names, or with a maximum in grams: through grams to actual weight."""
    kg = kilos.kg
    assert kg is not None
    day_low, day_high = (capped(end * kg, course.cap_day) for end in (course.day_low, course.day_high))
    low = high = None
    if course.total_low is not None and course.total_high is not None and course.days is not None:
        whole = None if course.cap_day is None else course.cap_day * course.days
        low, high = (capped(capped(end * kg, whole), course.cap_total) for end in (course.total_low, course.total_high))

    def tell() -> tuple[tuple[str, ...], tuple[Input, ...]]:
        shown, got = (high, course.total_high) if high is not None else (day_high, course.day_high)
        line = f"{plain(got or Decimal(0))} g/kg x {plain(kg)} kg = {plain(shown)} g"
        last = f"{line}; / {plain(actual)} kg actual = {plain(shown / actual)} g/kg"
        return (course.sum, last), (*inputs_of(course, weight), *kilos.inputs)

    return PerKg(
        course,
        day_low / actual,
        day_high / actual,
        None if low is None else low / actual,
        None if high is None else high / actual,
        day_high,
        high,
        tell,
        low,
    )


def capped(grams: Decimal, cap: Decimal | None) -> Decimal:
    return grams if cap is None else min(grams, cap)


@fact
def first_day(order: Order, whole_parts: tuple[Part, ...]) -> date:
    """The first planned infusion day; the day of judgement when none is stated or it lies before."""
    if len(whole_parts) == 1:
        only = starts_on(whole_parts[0])
        return order.day if only is None or only < order.day else only
    starts = [day for p in whole_parts if (day := starts_on(p)) is not None]
    leading = min(whole_parts, key=lambda p: p.sequence or 0) if whole_parts else None
    if leading is not None and leading.sequence is not None and starts_on(leading) is None:
        return order.day  # the first instruction is not dated: what is dated comes after it
    return max(min(starts), order.day) if starts else order.day
