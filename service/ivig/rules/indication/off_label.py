"""The ordered product is not labelled for the indication, and another one is.

What it checks    Whether the product's label names the indication (or another of its family) where some product that
                  can be had is labelled.
Why it matters    The labelled product has been studied there: dose, rate and age limits of the label then hold, and
                  payers ask for it.
Example           Privigen for dermatomyositis: Octagam 10% is labelled for it.
Does not cover    Indications no product is labelled for, unless the policy asks (`indication.off_label_note`); age
                  (product-age-below-label).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication, Product
from ivig.core.facts.indication import accepted
from ivig.core.facts.limits import labels_for
from ivig.core.facts.product import called
from ivig.core.finding import INFORMATION, Finding, Names
from ivig.core.order import Order
from ivig.core.rule import Rule

rule = Rule(
    name="indication-off-label",
    severity=INFORMATION,
    says="{product} is not labelled for {what}; labelled: {others}",
    consider="Consider a product that is labelled for the indication, or recording that this one is meant.",
)

_NONE = "{product} is not labelled for {what}; no product is"


def concerns(candidates: tuple[Indication, ...], book: Book) -> bool:
    return book.policy("indication.off_label_note").word == "true" or bool(_labelled(accepted(candidates), book))


def check(order: Order, candidates: tuple[Indication, ...], product: Product, book: Book) -> Iterator[Finding]:
    pages = accepted(candidates)
    if any(labels_for(page, product, book) for page in pages):
        return
    others = _labelled(pages, book)
    yield rule.finding(
        at=(order.path, order.medication_path),
        says=None if others else _NONE,
        cites=tuple(p.status for p in pages[:1] if p.status is not None),
        product=called(product, order),
        what=Names.of((pages[0].title,)),
        others=Names.of(p.title for p in others) if others else "",
    )


def content(order: Order, candidates: tuple[Indication, ...], product: Product, book: Book) -> str:
    named = [page.title for page in accepted(candidates) if labels_for(page, product, book)]
    return f"{called(product, order)} is labelled for {', '.join(named)}" if named else ""


def _labelled(pages: tuple[Indication, ...], book: Book) -> tuple[Product, ...]:
    """Products that can be had on the day and name one of these indications on their label."""

    def find() -> tuple[Product, ...]:
        some = (book.product(k) for k in book.polyvalent_iv())
        return tuple(p for p in some if any(labels_for(page, p, book) for page in pages))

    found: tuple[Product, ...] = book.memory(("labelled", tuple(p.key for p in pages)), find)
    return found
