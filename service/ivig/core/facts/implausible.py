"""Doses that no page comes near."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import Value
from ivig.core.facts.course import Course
from ivig.core.facts.dose import PerKg, inputs_of
from ivig.core.finding import Input
from ivig.core.order import Result
from ivig.core.rule import Maybe, Seen, fact


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
def implausible(courses: Seen[Course], per_kg: Seen[PerKg], weight: Maybe[Result], book: Book) -> Seen[Implausible]:
    """Days and courses that no page comes near. They are an entry error, and no range is held against them."""
    found = []
    weighed = {id(held.course): held for held in per_kg.items}
    for course in courses.items:
        held = weighed.get(id(course))
        if held is None and course.unit == "g":
            most, least = book.policy("dose.implausible.day_g"), book.policy("dose.implausible.low_g")
            fault = _beyond(course.day_low, course.day_high, course, None, (most, None, least))
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
        if fault is not None:
            sums, inputs = (held.sums, held.inputs) if held is not None else ((course.sum,), inputs_of(course, weight))
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
