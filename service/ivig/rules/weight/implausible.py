"""A weight that cannot be right, or that differs much from the earlier ones.

What it checks    The newest weight against what is possible at the age; against the median of the other weights of a
                  year (a month below two years) for pounds recorded as kilograms, or the reverse; against the median
                  of half a year for a large change.
Why it matters    A pound taken for a kilogram more than doubles every dose per kg.
Example           154 kg after 70 kg: 2.2 times, the ratio of a kilogram to a pound.
Does not cover    Weight gained within days (weight-fluid-overloaded).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.facts.patient import Age
from ivig.core.facts.weighing import WeightChange, WeightFault, bounds_of, tenth
from ivig.core.finding import ERROR, INFORMATION, WARNING, Absent, Finding, Input, Measure, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="weight-implausible",
    severity=ERROR,
    says="A weight of {kg} kg cannot be right: {lower} to {upper} kg is possible {when}",
    consider="Consider weighing the patient again, and checking the unit in which the weight was recorded.",
)

_POUNDS = "A weight of {kg} kg looks like pounds: the earlier ones are {usual} kg"
_KILOGRAMS = "A weight of {kg} kg looks like kilograms taken for pounds: the earlier ones are {usual} kg"
_CHANGE = "The weight of {kg} kg differs by {percent}% from {usual} kg, the median of {days} days"


def check(
    order: Order,
    weights: tuple[Result, ...],
    weight_inputs: tuple[Input, ...],
    weight_fault: WeightFault | None,
    weight_change: Seen[WeightChange],
    age: Maybe[Age],
    adult: Maybe[bool],
    book: Book,
) -> Iterator[Finding]:
    others = (Input("earlier weight", w.said, w.when.text if w.when else "", w.path) for w in weights[1:])
    inputs = (*weight_inputs[:1], *others)
    if weight_fault is not None:
        yield _wrong(order, weight_fault, age, inputs)
        return
    for change in weight_change.items:
        yield _changed(order, change, adult is True, inputs, book)


def content(order: Order, weights: tuple[Result, ...], age: Age, book: Book) -> str:
    if not weights:
        return ""
    lower, upper = bounds_of(weights[0], age, order, book)
    earlier = ", ".join(w.said for w in weights[1:4])
    said = f"{weights[0].said}, possible at that age {plain(lower.number)} to {plain(upper.number)} kg"
    return said + (f"; earlier {earlier}" if earlier else "")


def _wrong(order: Order, fault: WeightFault, age: Maybe[Age], inputs: tuple[Input, ...]) -> Finding:
    kg, at = fault.weight.value or Decimal(0), (order.path, fault.weight.path)
    source = fault.cites[0].source
    if fault.usual is not None:
        ratio = kg / fault.usual
        return rule.finding(
            at=at,
            says=_POUNDS,
            sums=(f"{plain(kg)} kg / {plain(fault.usual)} kg = {plain(round(ratio, 3))}, as a kilogram to a pound",),
            inputs=inputs,
            cites=fault.cites,
            measure=Measure("1", ratio, None, None, source),
            kg=round(kg, 2),
            usual=tenth(fault.usual),
        )
    when = (
        "at any age there may be"
        if isinstance(age, Absent)
        else f"at {age.years} years"
        if age.years
        else f"at {age.days} days"
    )
    chart = order.chart
    born = () if isinstance(age, Absent) else (Input("age", when[3:], chart.birth_said, chart.patient_path),)
    measure = Measure("kg", kg, fault.lower, fault.upper, source)
    return rule.finding(
        at=at,
        inputs=(*inputs, *born),
        cites=fault.cites,
        measure=measure,
        kg=round(kg, 2),
        lower=fault.lower,
        upper=fault.upper,
        when=when,
    )


def _changed(order: Order, change: WeightChange, adult: bool, inputs: tuple[Input, ...], book: Book) -> Finding:
    kg, most = change.weight.value or Decimal(0), book.policy("weight.jump.information_up_to")
    large = change.kind == "change"
    mild = large and adult and abs(change.percent) <= most.number
    line = f"({plain(kg)} - {plain(change.usual)}) / {plain(change.usual)} = {plain(tenth(change.percent))}%"
    return rule.finding(
        at=(order.path, change.weight.path),
        severity=INFORMATION if mild else WARNING,
        says=_CHANGE if large else _KILOGRAMS,
        sums=(line,),
        inputs=inputs,
        cites=(*change.cites, most) if large else change.cites,
        measure=Measure("%", change.percent, None, change.cites[0].number if large else None, change.cites[0].source),
        kg=round(kg, 2),
        usual=tenth(change.usual),
        percent=tenth(abs(change.percent)),
        days=change.days,
    )
