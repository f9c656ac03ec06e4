"""A weight that holds fluid.

What it checks    Ascites or anasarca; dialysis without a dry weight in the chart; a gain of weight within days.
Why it matters    Fluid is no tissue to dose for: the measured weight overstates the patient.
Example           70 kg on Monday and 77 kg on Friday: 10% in 4 days.
Does not cover    Whether the volume of the infusion is safe (risk-volume-overload).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.dated import Value, later
from ivig.core.facts.chart import of_set
from ivig.core.facts.patient import share
from ivig.core.facts.signs import told_by
from ivig.core.finding import INFORMATION, Finding, Input, plain
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="weight-fluid-overloaded",
    severity=INFORMATION,
    says="The weight of {kg} kg may hold fluid: {why}; consider the dry weight",
    consider="Consider a dry weight, or the weight from before the fluid was gained.",
)


def check(
    order: Order,
    weight: Result,
    weights: tuple[Result, ...],
    weight_inputs: tuple[Input, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    book: Book,
) -> Iterator[Finding]:
    fluid, dialysis = of_set(active, "ascites_anasarca"), of_set(active, "dialysis")
    told = [*fluid[:1], *(() if results.get("dry_weight") else dialysis[:1])]
    reasons = [
        (c.concept.text or "ascites or anasarca")[:40] if c in fluid else "dialysis, no dry weight" for c in told
    ]
    gain, days = book.policy("weight.fluid_gain"), book.policy("weight.fluid_gain.days")
    before = _lowest(weight, weights, days)
    cites: tuple[Value, ...] = ()
    sums: tuple[str, ...] = ()
    kg = weight.value or Decimal(0)
    if before is not None and before.value is not None and kg >= before.value * (1 + share(gain.number)):
        percent = (kg - before.value) * 100 / before.value
        reasons.append(f"{plain(round(percent, 1))}% more in {days.number} days")
        cites, sums = (gain, days), (f"{plain(before.value)} kg to {plain(kg)} kg: {plain(round(percent, 1))}%",)
    if reasons:
        yield rule.finding(
            at=(order.path, weight.path, *(c.path for c in told)),
            sums=sums,
            inputs=(*weight_inputs, *(told_by(c, "condition") for c in told)),
            cites=cites,
            kg=round(kg, 1),
            why=" and ".join(reasons),
        )


def content(weight: Result, weights: tuple[Result, ...], book: Book) -> str:
    gain, days = book.policy("weight.fluid_gain"), book.policy("weight.fluid_gain.days")
    before = _lowest(weight, weights, days)
    if before is None or not before.value or weight.value is None:
        return f"no other weight within {days.number} days"
    percent = (weight.value - before.value) * 100 / before.value
    return f"{plain(before.value)} to {plain(weight.value)} kg: {plain(round(percent, 1))}%, less than {gain.number}%"


def _lowest(weight: Result, weights: tuple[Result, ...], days: Value) -> Result | None:
    """The lowest other weight of the days before."""
    if weight.when is None or weights == (weight,):
        return None
    since = later(weight.when.day, -days.number)
    others = [w for w in weights if w is not weight and w.when is not None and w.when.day >= since]
    return min(others, key=lambda w: w.value or Decimal(0), default=None)
