"""An order without any medication.

What it checks    Whether the order names a medication at all: code, reference, contained resource or text.
Why it matters    Nothing can be judged about an order of an unknown drug.
Example           A MedicationRequest whose medication reference points to nothing that was sent.
Does not cover    An immune globulin without brand or strength (product-unspecified).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import root

rule = root(
    "order-medication-missing",
    WARNING,
    says="The order names no medication: nothing about it can be judged",
    code="required",
    any_product=True,
    consider="Consider completing the order: which product, at which strength.",
)


def check(order: Order) -> Iterator[Finding]:
    if order.medication_missing:
        yield rule.finding(at=(order.path,))
