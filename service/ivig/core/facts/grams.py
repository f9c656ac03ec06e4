"""The courses in grams, whatever the order is written in."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.facts.course import Course
from ivig.core.facts.dose import UNTIMED, Kilos, capped, inputs_of
from ivig.core.finding import Absent, Input, plain
from ivig.core.order import Result
from ivig.core.rule import Maybe, Seen, fact


class Grams(Struct, frozen=True):
    """A course in grams: lower and upper end of each different day, and of the whole course or cycle."""

    course: Course
    days: tuple[tuple[Decimal, Decimal], ...]
    total: tuple[Decimal, Decimal] | None
    sums: tuple[str, ...]
    inputs: tuple[Input, ...]


@fact
def in_grams(courses: Seen[Course], kilos: Kilos, weight: Maybe[Result]) -> Seen[Grams]:
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
            total = (capped(course.total_low * kg, whole), capped(course.total_high * kg, whole))
        weighed = course.unit != "g"
        found.append(
            Grams(
                course,
                tuple((capped(low * kg, cap), capped(high * kg, cap)) for low, high in sorted(each)),
                total,
                (course.sum, f"at {plain(kg)} kg") if weighed else (course.sum,),
                (*inputs_of(course, weight if weighed else Absent(())), *(kilos.inputs if weighed else ())),
            )
        )
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))
