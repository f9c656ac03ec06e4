"""The courses in grams, whatever the order is written in."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from ivig.core.facts.course import Course
from ivig.core.facts.dose import UNTIMED, Kilos, capped, inputs_of
from ivig.core.finding import Absent, Input, plain
from ivig.core.order import Result
from ivig.core.rule import Maybe, Seen, fact

_UNWEIGHED = Absent(())


class Grams(Struct, frozen=True):
    """A course in grams: lower and upper end of each different day, and of the whole course or cycle.

    `tell` makes its sums and its inputs, when someone asks.
    """

    course: Course
    days: tuple[tuple[Decimal, Decimal], ...]
    total: tuple[Decimal, Decimal] | None
    tell: Callable[[], tuple[tuple[str, ...], tuple[Input, ...]]]

    @property
    def sums(self) -> tuple[str, ...]:
        return self.tell()[0]

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.tell()[1]


@fact
def in_grams(courses: Seen[Course], kilos: Kilos, weight: Maybe[Result]) -> Seen[Grams]:
    """The courses in grams. What is ordered in grams needs no weight."""
    return grams_of(courses, kilos, weight)


@fact
def day_grams(in_grams: Seen[Grams]) -> Seen[Grams]:
    """The same, where only the dose of a day counts: an open number of days is then no matter."""
    if not in_grams.lacking:
        return in_grams
    days_matter = any(not g.course.day_known for g in in_grams.items)
    return Seen(in_grams.items, tuple(r for r in in_grams.lacking if days_matter or r != UNTIMED))


def grams_of(courses: Seen[Course], kilos: Kilos, weight: Maybe[Result]) -> Seen[Grams]:
    """Courses in grams, the order's own maxima in grams applied."""
    found: list[Grams] = []
    lacking = list(courses.lacking)
    for course in courses.items:
        if course.unit == "g":
            found.append(_as_ordered(course))
            continue
        kg, cap = kilos.kg, course.cap_day
        if kg is None:
            lacking.extend(kilos.lacking or (weight.roots if isinstance(weight, Absent) else ()))
            continue
        total = None
        if course.total_low is not None and course.total_high is not None:
            whole = None if cap is None or course.days is None else cap * course.days
            total = (capped(course.total_low * kg, whole), capped(course.total_high * kg, whole))
        days = tuple([(capped(low * kg, cap), capped(high * kg, cap)) for low, high in _days(course)])
        found.append(Grams(course, days, total, _weighed(course, kg, kilos, weight)))
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _days(course: Course) -> list[tuple[Decimal, Decimal]]:
    """Lower and upper end of each different day, in the course's own unit."""
    return sorted({(d.low, d.high) for d in course.plan}) or (
        [(course.day_low, course.day_high)] if course.day_known else []
    )


def _as_ordered(course: Course) -> Grams:
    """A course that is ordered in grams."""
    low, high = course.total_low, course.total_high
    total = None if low is None or high is None else (low, high)
    return Grams(course, tuple(_days(course)), total, lambda: ((course.sum,), inputs_of(course, _UNWEIGHED)))


def _weighed(
    course: Course, kg: Decimal, kilos: Kilos, weight: Maybe[Result]
) -> Callable[[], tuple[tuple[str, ...], tuple[Input, ...]]]:
    """What makes the sums and inputs of a course that is ordered per kg."""
    return lambda: ((course.sum, f"at {plain(kg)} kg"), (*inputs_of(course, weight), *kilos.inputs))
