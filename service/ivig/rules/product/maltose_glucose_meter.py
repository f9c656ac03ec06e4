"""A maltose product in a patient whose glucose is measured at the bedside.

What it checks    For products with maltose: insulin, point-of-care glucose; or diabetes by itself.
Why it matters    Glucose meters with GDH-PQQ strips read maltose as glucose: insulin is given for sugar that is not
                  there, and patients have died.
Example           Octagam 10% and insulin glargine: a warning. Diabetes on tablets: information.
Does not cover    Which strips the hospital uses; glucose measured in the laboratory, which is not disturbed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Product
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.product import called
from ivig.core.facts.signs import Sign
from ivig.core.finding import INFORMATION, WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="product-maltose-glucose-meter",
    severity=WARNING,
    says="{product} contains maltose, which some glucose meters read as glucose; the chart has {what}",
    consider="Consider a product without maltose, or measuring glucose by a method that maltose does not disturb.",
)


def concerns(product: Product) -> bool:
    return product.excipients is not None and "maltose" in product.excipients.words


def check(order: Order, product: Product, glucose_users: Seen[Sign], established: Habit | None) -> Iterator[Finding]:
    if not glucose_users.items:
        return
    grave = [s for s in glucose_users.items if s.grave]
    signs = grave or list(glucose_users.items)
    yield rule.finding(
        at=(order.path, order.medication_path, *(s.input.path for s in signs)),
        severity=eased(WARNING, established, (s.since for s in signs)) if grave else INFORMATION,
        inputs=tuple(s.input for s in signs),
        cites=(product.excipients,) if product.excipients is not None else (),
        product=called(product, order),
        what=signs[0].what,
    )
