"""An adult's height, or the body mass index it gives, that cannot be right.

What it checks    The newest height of an adult, and the body mass index of the newest weight with it, against wide
                  bounds.
Why it matters    Obesity and ideal weight rest on height: a metre read as centimetres changes the dosing weight.
Example           17.5 cm; or 260 kg with 175 cm, a body mass index of 85.
Does not cover    Children. What then cannot be judged stands under weight-height-missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.weighing import as_input
from ivig.core.facts.weight import HeightFault
from ivig.core.finding import WARNING, Absent, Finding, Input, Measure
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="weight-height-implausible",
    severity=WARNING,
    says="A {what} of {got} {unit} cannot be right: {lower} to {upper} is possible in an adult",
)

_NAMES = {"height": ("height", "cm", "cm"), "bmi": ("body mass index", "kg/m²", "kg/m2")}


def check(
    order: Order, height_outside: Seen[HeightFault], height: Maybe[Result], weight_inputs: tuple[Input, ...]
) -> Iterator[Finding]:
    for fault in height_outside.items:
        if isinstance(height, Absent):
            continue
        what, shown, unit = _NAMES[fault.what]
        yield rule.finding(
            at=(order.path, height.path),
            inputs=(as_input(height, "height"), *weight_inputs),
            cites=(fault.lower, fault.upper),
            measure=Measure(unit, fault.got, fault.lower.number, fault.upper.number, fault.lower.source),
            what=what,
            got=round(fault.got, 2),
            unit=shown,
            lower=fault.lower.number,
            upper=fault.upper.number,
        )
