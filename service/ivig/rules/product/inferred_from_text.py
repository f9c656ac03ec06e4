"""The product is known by its words only.

What it checks    Whether no code of the medication is known, and the product was recognised in its text or display.
Why it matters    Words can be wrong or old; what the order is judged by should be looked at once.
Example           A medication with the text "Privigen 10% liquid" and a local code.
Does not cover    Codes that name no single product (product-unspecified); a text that contradicts the code
                  (order-text-contradicts).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Product
from ivig.core.finding import Finding, Input, Names
from ivig.core.order import Order
from ivig.core.rule import note

rule = note("product-inferred-from-text", says="Recognised by its words only, not by a code: {what}")


def check(order: Order, products: tuple[Product, ...]) -> Iterator[Finding]:
    if not order.from_words:
        return
    named = Names.of((p.title for p in products) if order.products else ("immune globulin without a brand",))
    said = Input("medication", order.medication[:120], "", order.medication_path)
    yield rule.finding(at=(order.path, order.medication_path), inputs=(said,), what=named)
