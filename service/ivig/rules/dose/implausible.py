"""A dose that cannot be meant: far above or below all that any page holds.

What it checks    A day, a course and a dose per kg of actual weight against 1.2 times the highest and half the lowest
                  of all pages; without a weight, grams of a day.
Why it matters    A slipped point or milligrams for grams; nothing else is worth saying of such a dose.
Example           2800 g for 70 kg: 40 g/kg a day. 28 mg for 70 kg: 0.0004 g/kg.
Does not cover    Doses above a range that might be meant (dose-course-above-range); rates.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.course import Course
from ivig.core.facts.dose import PerKg, places
from ivig.core.facts.implausible import Implausible
from ivig.core.finding import ERROR, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="dose-implausible",
    severity=ERROR,
    says="{got} {unit} {span} cannot be right: {side} {bound} {unit}",
    consider=(
        "Consider checking number and unit: a slipped decimal point, milligrams for grams, pounds for kilograms."
    ),
)

_SPANS = {"day": "on a day", "course": "a course", "low": "on a day"}


def check(order: Order, implausible: Seen[Implausible]) -> Iterator[Finding]:
    for item in implausible.items:
        low = item.what == "low"
        yield rule.finding(
            at=places(order, item.inputs),
            sums=(*item.sums, f"{plain(item.got)} {item.unit} {_SPANS[item.what]}, bound {plain(item.bound.number)}"),
            inputs=item.inputs,
            cites=(item.bound,),
            measure=Measure(
                item.unit,
                item.got,
                item.bound.number if low else None,
                None if low else item.bound.number,
                item.bound.source,
            ),
            got=item.got,
            unit=item.unit,
            span=_SPANS[item.what],
            side="below" if low else "above",
            bound=item.bound.number,
        )


def content(courses: Seen[Course], per_kg: Seen[PerKg], book: Book) -> str:
    if per_kg.items:
        day, course = book.policy("dose.implausible.day_g_per_kg"), book.policy("dose.implausible.course_g_per_kg")
        least = book.policy("dose.implausible.low_g_per_kg")
        return "; ".join(
            f"{plain(d.day_high)} g/kg on a day, possible {plain(least.number)} to {plain(day.number)}"
            + (f"; {plain(d.total_high)} g/kg in all, at most {plain(course.number)}" if d.total_high else "")
            for d in per_kg.items
        )
    most, low = book.policy("dose.implausible.day_g").number, book.policy("dose.implausible.low_g").number
    return "; ".join(f"{plain(c.day_high)} g on a day, possible {plain(low)} to {plain(most)}" for c in courses.items)
