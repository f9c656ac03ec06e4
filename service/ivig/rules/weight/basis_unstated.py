"""A dose per kilogram that does not say of which weight, where it matters.

What it checks    Where the dosing weight is not the actual one (obesity): a dose ordered per kg, without the extension
                  for the dosing weight and without the words actual, ideal, adjusted or dosing weight.
Why it matters    Pharmacy has to guess; the two readings differ by tens of grams.
Example           0.4 g/kg on 5 days at 120 kg and 170 cm: 240 g by actual weight, 175 g by dosing weight.
Does not cover    A dose in grams (weight-wrong-basis).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.facts.dose import PerKg
from ivig.core.facts.weighing import tenth
from ivig.core.facts.weight import Dosing
from ivig.core.finding import WARNING, Finding, plain
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="weight-basis-unstated",
    severity=WARNING,
    says="{dose} g/kg a {span}, by which weight? {by_dosing} g by dosing {kg} kg, {by_actual} g by actual {actual} kg",
    consider="Consider stating on the order which weight the dose rests on, and the dose in grams.",
)


def concerns(ordered_per_kg: tuple[bool | None, ...], basis_stated: bool, dosing_differs: Maybe[bool]) -> Maybe[bool]:
    if basis_stated or (ordered_per_kg and all(one is False for one in ordered_per_kg)):
        return False
    return dosing_differs


def check(order: Order, per_kg: Seen[PerKg], dosing: Dosing) -> Iterator[Finding]:
    for dose in per_kg.items:
        course = dose.course
        if course.unit != "g/kg":
            continue
        whole = course.total_high
        span = "day" if whole is None else "cycle" if course.repeats else "course"
        ordered = course.day_high if whole is None else whole
        most = course.cap_day if whole is None else course.cap_total
        kilos = ((dosing.kg, f"dosing weight ({dosing.basis})"), (dosing.actual, "actual weight"))
        grams = [ordered * kg if most is None else min(ordered * kg, most) for kg, _ in kilos]
        sums = (
            f"{plain(ordered)} g/kg x {_kg(kg)} kg {what} = {_kg(g)} g"
            for (kg, what), g in zip(kilos, grams, strict=True)
        )
        yield rule.finding(
            at=(order.path, course.dose_path),
            sums=(*dosing.sums, *sums),
            inputs=(*dose.inputs[:1], *dosing.inputs),
            cites=dosing.cites,
            dose=ordered,
            span=span,
            by_dosing=tenth(grams[0]),
            kg=tenth(dosing.kg),
            by_actual=tenth(grams[1]),
            actual=tenth(dosing.actual),
        )


def _kg(number: Decimal) -> str:
    return plain(tenth(number))
