"""The dosage was read from a shape that is not R4.

What it checks    Whether the reader had to take elements of STU3 or R5, or an object where a list belongs.
Why it matters    The order is judged as it was understood; the sender should see how that was.
Example           `dosageInstruction[0].doseQuantity` as in STU3, instead of `doseAndRate[0].doseQuantity`.
Does not cover    Elements that are broken: they are reported by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import Finding
from ivig.core.order import Order
from ivig.core.rule import note

rule = note("order-shape-repaired", says="Read from a shape that is not FHIR R4: {what}")


def check(order: Order) -> Iterator[Finding]:
    said = tuple(dict.fromkeys(order.repaired))
    if said:
        more = f" and {len(said) - 1} more" if said[1:] else ""
        yield rule.finding(at=(order.path,), sums=said, what=said[0][:80] + more)
