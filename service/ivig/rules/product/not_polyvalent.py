"""A hyperimmune globulin for an indication of polyvalent immune globulin.

What it checks    Whether the product is a hyperimmune and the order's reason is one that immune globulin IV is used
                  for, and not one of the hyperimmune's own.
Why it matters    A hyperimmune is dosed in units against one target; it does not act in CIDP, and anti-D destroys red
                  cells.
Example           WinRho SDF for CIDP. For immune thrombocytopenia it is its own indication.
Does not cover    A hyperimmune without a reason, or for a reason that no immune globulin IV page covers.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Product
from ivig.core.facts.product import called
from ivig.core.finding import ERROR, Finding, Names
from ivig.core.lexicon import tokens
from ivig.core.order import Order, Reason
from ivig.core.rule import Rule

rule = Rule(
    name="product-not-polyvalent",
    severity=ERROR,
    says="{product} is a hyperimmune globulin and not meant for {what}",
    any_product=True,
    consider="Consider a polyvalent immune globulin, if the hyperimmune was chosen by mistake.",
)


def concerns(class_ordered: str) -> bool:
    return class_ordered == "hyperimmune"


def check(order: Order, product: Product, stated_reasons: tuple[Reason, ...], book: Book) -> Iterator[Finding]:
    covered = [r for r in stated_reasons if r.concept.indications and not r.concept.excluded]
    if not covered or any(not product.own_indications.isdisjoint(r.concept.indications) for r in covered):
        return
    if any(_names_own(r, product) for r in stated_reasons):
        return
    page = book.indication(covered[0].concept.indications[0])
    yield rule.finding(
        at=(order.path, order.medication_path, *(r.path for r in covered)),
        cites=tuple(v for v in (page.status,) if v is not None and not v.unconfirmed),
        product=called(product, order),
        what=Names.of((page.title,)),
    )


def _names_own(reason: Reason, product: Product) -> bool:
    """Whether a reason's words name what the hyperimmune is for: CMV prophylaxis after a transplant."""
    split = tokens(reason.concept.text)
    return any(split[start : start + len(name)] == name for name in product.own_names for start in range(len(split)))
