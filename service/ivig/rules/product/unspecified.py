"""Brand or strength is open.

What it checks    Whether the order names one product: a brand, and where a brand has several strengths the one that is
                  meant.
Why it matters    Excipients, IgA, rates and labels differ between products. Rules on which all products the order may
                  mean agree are judged all the same; the others are listed here.
Example           "Immune globulin intravenous"; J1568, which is Octagam 5% and Octagam 10%.
Does not cover    A product recognised by its words only (product-inferred-from-text).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Product
from ivig.core.finding import INFORMATION, Absent, Finding, Names
from ivig.core.order import Order
from ivig.core.rule import Maybe, root

rule = root(
    "product-unspecified",
    INFORMATION,
    says="The order names no single product: brand or strength is open",
    code="code-invalid",
    consider="Consider naming the product and its strength.",
)

_SOME = "Brand or strength is open: {products}"
_NONE = "No brand: any of {count} products may be meant"


def check(order: Order, products: tuple[Product, ...], product: Maybe[Product]) -> Iterator[Finding]:
    if not isinstance(product, Absent):
        return
    yield rule.finding(
        at=(order.path, order.medication_path),
        says=_SOME if order.products else _NONE,
        sums=("May be: " + ", ".join(p.title for p in products),),
        products=Names.of(p.title for p in products) if products else "",
        count=len(products),
    )


def content(product: Product) -> str:
    return product.title
