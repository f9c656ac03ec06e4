"""Dose per kilogram on one day above the limit of the phase.

What it checks    Grams of the largest infusion day per kg of actual weight, against the day limit of the accepted pair
                  with this number of days; where no pair has it, the highest day limit of the phase.
Why it matters    A large dose on one day brings headache, fluid overload, haemolysis and clots.
Example           1 g/kg on two days in Guillain-Barre syndrome, where 0.4 g/kg on five days is the regimen.
Does not cover    The number of days (schedule-days-off-regimen); the course (dose-course-above-range). It is an error
                  only when the day is 20% above every page's day and the course is too large as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.dose import places
from ivig.core.facts.limits import Limits, within
from ivig.core.facts.segment import Phased
from ivig.core.finding import ERROR, WARNING, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="dose-daily-above-range",
    severity=WARNING,
    says="{got} g/kg on a day is above {limit} g/kg a day for {what}",
    consider="Consider spreading the course over more days.",
)


def check(order: Order, phased: Seen[Phased], book: Book) -> Iterator[Finding]:
    tolerance, factor = book.policy("dose.tolerance"), book.policy("dose.single_day_factor")
    for held in phased.items:
        got, day = held.dose.day_high, held.limits.day_limit(held.course.days)
        if day is None or not held.course.day_known or within(got, day[0], tolerance):
            continue
        limit, value = day
        highest, source = held.limits.highest_day, held.limits.highest_day_from
        far = highest is not None and source is not None and got > highest * factor.number
        grave = far and _course_above(held, held.limits, book)
        yield rule.finding(
            at=places(order, held.dose.inputs),
            severity=ERROR if grave else WARNING,
            sums=(*held.dose.sums, _day(held)),
            inputs=held.dose.inputs,
            assumed=(held.limits.assumed,) if held.limits.assumed else (),
            cites=(source, factor) if grave and source is not None else (value, tolerance),
            measure=Measure("g/kg", got, None, limit, value.source),
            got=got,
            limit=limit,
            what=held.limits.what,
        )


def content(phased: Seen[Phased], book: Book) -> str:
    tolerance = plain(book.policy("dose.tolerance").number)
    return "; ".join(
        f"{plain(held.dose.day_high)} g/kg on a day, at most {plain(day[0])} (+{tolerance}%) for {held.limits.what}"
        for held in phased.items
        if (day := held.limits.day_limit(held.course.days)) is not None and held.course.day_known
    )


def _day(held: Phased) -> str:
    grams = held.dose.grams_day
    return f"On a day: {f'{plain(grams)} g = ' if grams is not None else ''}{plain(held.dose.day_high)} g/kg"


def _course_above(held: Phased, limits: Limits, book: Book) -> bool:
    total, upper = held.dose.total_high, limits.upper
    if total is None or upper is None or upper.upper is None:
        return False
    return not within(total, upper.upper, book.policy("dose.tolerance"))
