"""An adult's height, or the body mass index it gives, that cannot be right.

What it checks    The newest height of an adult, and the body mass index of the newest weight with it, against wide
                  bounds.
Why it matters    Obesity and ideal weight rest on height: a metre read as centimetres changes the dosing weight.
Example           17.5 cm; or 260 kg with 175 cm, a body mass index of 85.
Does not cover    Children. What then cannot be judged stands under weight-height-missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.weighing import as_input
from ivig.core.facts.weight import HeightFault, body_mass_index
from ivig.core.finding import WARNING, Absent, Finding, Input, Measure, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="weight-height-implausible",
    severity=WARNING,
    says="A {what} of {got} {unit} cannot be right: {lower} to {upper} is possible in an adult",
    consider="Consider measuring the height again, and checking the units of height and weight.",
)

_NAMES = {"height": ("height", "cm", "cm"), "bmi": ("body mass index", "kg/m²", "kg/m2")}


def check(
    order: Order,
    height_outside: Seen[HeightFault],
    height: Maybe[Result],
    weight: Maybe[Result],
    weight_inputs: tuple[Input, ...],
) -> Iterator[Finding]:
    for fault in height_outside.items:
        if isinstance(height, Absent):
            continue
        what, shown, unit = _NAMES[fault.what]
        yield rule.finding(
            at=(order.path, height.path),
            sums=(_sum(weight, height, fault),) if fault.what == "bmi" else (),
            inputs=(as_input(height, "height"), *weight_inputs),
            cites=(fault.lower, fault.upper),
            measure=Measure(unit, fault.got, fault.lower.number, fault.upper.number, fault.lower.source),
            what=what,
            got=round(fault.got, 2),
            unit=shown,
            lower=fault.lower.number,
            upper=fault.upper.number,
        )


def _sum(weight: Maybe[Result], height: Result, fault: HeightFault) -> str:
    kg = "" if isinstance(weight, Absent) or weight.value is None else f"{plain(weight.value)} kg / "
    cm = plain(height.value) if height.value is not None else ""
    return f"{kg}({cm} cm)^2 = {plain(round(fault.got, 2))} kg/m²"


def content(height: Result, weight: Result, adult: bool, book: Book) -> str:
    if not adult or height.value is None or weight.value is None:
        return ""
    low, high = (book.policy(f"weight.height_possible.{end}").number for end in ("lower", "upper"))
    least, most = (book.policy(f"weight.bmi_possible.{end}").number for end in ("lower", "upper"))
    bmi = plain(round(body_mass_index(weight.value, height.value), 1))
    return (
        f"{plain(height.value)} cm, possible {low} to {high}; body mass index {bmi} kg/m², possible {least} to {most}"
    )
