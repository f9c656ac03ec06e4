"""Another product than the last time.

What it checks    Whether the brand differs from the last infusion on record.
Why it matters    Products differ in excipients, IgA and rates; after a switch the first infusion starts slowly and is
                  watched, as if it were the first.
Example           Gamunex-C after three months of Privigen.
Does not cover    Another strength of the same brand; an earlier infusion whose product is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Product
from ivig.core.facts.history import Given
from ivig.core.finding import INFORMATION, Finding, Input, Names
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="product-switch",
    severity=INFORMATION,
    says="{product} is ordered; the last infusion, on {day}, was {last}",
    consider="Consider starting this infusion as slowly as a first one, and watching it as one.",
)


def check(order: Order, product: Product, before: Seen[Given], book: Book) -> Iterator[Finding]:
    if not before.items or not before.items[-1].products:
        return
    last = before.items[-1]
    brands = [book.product(k).brand for k in last.products]
    if product.brand in brands:
        return
    yield rule.finding(
        at=(order.path, order.medication_path, last.path),
        inputs=(Input("last infusion", ", ".join(brands), last.day.isoformat(), last.path),),
        product=product.brand if order.products else "Another product",
        day=last.day,
        last=Names.of(brands),
    )


def content(before: Seen[Given], book: Book) -> str:
    if not before.items:
        return "no earlier infusion on record"
    last = before.items[-1]
    brands = ", ".join(book.product(k).brand for k in last.products)
    return f"last infusion {last.day}: {brands or 'product not known'}"
