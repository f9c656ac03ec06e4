"""A dose inside its range by actual weight, and above it by dosing weight.

What it checks    Where the dosing weight is not the actual one (obesity): grams of a day and of a course per kg of
                  both, against the upper limits. A dose ordered in grams, or per kg of a weight the order names.
Why it matters    Immune globulin spreads little into fat; by actual weight an obese patient gets more than is needed,
                  at the price of clots, haemolysis and kidney injury.
Example           240 g at 120 kg and 170 cm: 2 g/kg of actual weight, 2.74 g/kg of the adjusted 87.6 kg.
Does not cover    A dose above the range by actual weight (dose-course-above-range, dose-daily-above-range); a dose per
                  kg without a basis (weight-basis-unstated).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.dated import Value
from ivig.core.facts.indication import Phased, within
from ivig.core.facts.weighing import tenth
from ivig.core.facts.weight import Dosing
from ivig.core.finding import WARNING, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="weight-wrong-basis",
    severity=WARNING,
    says="{grams} g a {span} is {got} g/kg of dosing weight {kg} kg, above {limit} g/kg; by that at most {most} g",
    consider="Consider the dose by dosing weight, or stating on the order that actual weight is meant.",
)


def concerns(ordered_per_kg: tuple[bool | None, ...], basis_stated: bool, dosing_differs: Maybe[bool]) -> Maybe[bool]:
    if ordered_per_kg and all(ordered_per_kg) and not basis_stated:
        return False
    return dosing_differs


def check(order: Order, phased: Seen[Phased], basis_stated: bool, dosing: Dosing, book: Book) -> Iterator[Finding]:
    tolerance = book.policy("dose.tolerance")
    for held in phased.items:
        if held.course.unit == "g/kg" and not basis_stated:
            continue
        over = [
            (span, got, upper, source)
            for span, got, upper, source in _limits(held)
            if not within(got * dosing.actual / dosing.kg, upper, tolerance)
        ]
        if not over or not all(within(got, upper, tolerance) for _, got, upper, _ in _limits(held)):
            continue
        span, got, upper, source = over[0]
        by_dosing = got * dosing.actual / dosing.kg
        line = f"{plain(got * dosing.actual)} g / {plain(tenth(dosing.kg))} kg = {plain(round(by_dosing, 2))} g/kg"
        yield rule.finding(
            at=(order.path, held.course.dose_path),
            sums=(*held.dose.sums, *dosing.sums, line, _most(upper, dosing)),
            inputs=(*held.dose.inputs, *dosing.inputs),
            cites=(source, tolerance, *dosing.cites),
            measure=Measure("g/kg", by_dosing, None, upper, source.source),
            grams=tenth(got * dosing.actual),
            span=span,
            got=round(by_dosing, 2),
            kg=tenth(dosing.kg),
            limit=upper,
            most=tenth(upper * dosing.kg),
        )


def _most(upper: Decimal, dosing: Dosing) -> str:
    return f"At most {plain(upper)} g/kg x {plain(tenth(dosing.kg))} kg = {plain(tenth(upper * dosing.kg))} g"


def content(phased: Seen[Phased], basis_stated: bool, dosing: Dosing, book: Book) -> str:
    tolerance, told = book.policy("dose.tolerance"), []
    for held in phased.items:
        if held.course.unit == "g/kg" and not basis_stated:
            continue
        if not all(within(got, upper, tolerance) for _, got, upper, _ in _limits(held)):
            told.append("above its range by actual weight already, which other rules tell")
            continue
        told += [
            f"{plain(got * dosing.actual)} g a {span} / {plain(tenth(dosing.kg))} kg {dosing.basis} = "
            f"{plain(got * dosing.actual / dosing.kg)} g/kg, at most {plain(upper)} (+{plain(tolerance.number)}%)"
            for span, got, upper, _ in _limits(held)
        ]
    return "; ".join(dict.fromkeys(told))


def _limits(held: Phased) -> list[tuple[str, Decimal, Decimal, Value]]:
    """The upper limits of a course and of its days, each with what is ordered per kg of actual weight."""
    dose, limits, found = held.dose, held.limits, []
    if dose.total_high is not None and limits.upper is not None and limits.upper.upper is not None:
        span = "cycle" if held.course.repeats else "course"
        found.append((span, dose.total_high, limits.upper.upper, limits.upper))
    if limits.day is not None and limits.day_upper is not None and held.course.day_known:
        found.append(("day", dose.day_high, limits.day_upper, limits.day))
    return found
