"""A product that is off the market.

What it checks    Whether the product was withdrawn on the day of judgement.
Why it matters    The order can't be filled as written; what is dispensed instead has another rate, other excipients and
                  other codes.
Example           Carimune NF from October 2018.
Does not cover    Shortages. Where the day of the withdrawal is not confirmed it is information. Before a product's first
                  day on the market it is not judged (knowledge-not-in-force).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Product
from ivig.core.dated import NotInForce
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.product import called, withdrawn
from ivig.core.finding import INFORMATION, WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import Rule

rule = Rule(
    name="product-discontinued",
    severity=WARNING,
    says="{product} is no longer on the market{since}",
    any_product=True,
    consider="Consider a product that can be had; its rate, excipients and vial sizes have to be looked at anew.",
)


def check(order: Order, product: Product, established: Habit | None) -> Iterator[Finding]:
    if product.market is None:
        raise NotInForce(f"{product.key}.market")
    if not withdrawn(product):
        return
    start = product.market.start
    severity = INFORMATION if product.market.unconfirmed else WARNING
    yield rule.finding(
        at=(order.path, order.medication_path),
        severity=eased(severity, established, (start,)),
        cites=(product.market,),
        product=called(product, order),
        since=f" since {start}" if start is not None else "",
    )
