"""A sucrose-stabilised product at renal risk.

What it checks    For products with sucrose: known kidney disease or dialysis, an eGFR below the limit, and the label's
                  renal risk factors (diabetes, age over the limit, volume depletion, sepsis, paraproteinaemia,
                  nephrotoxic drugs).
Why it matters    Most kidney failure after immune globulin was with sucrose products; without sucrose it is rare.
Example           Carimune NF in chronic kidney disease: an error. With diabetes only: a warning.
Does not cover    Products without sucrose (risk-renal). An eGFR limit that no source gives can raise no more than a
                  warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.labs import Kidney
from ivig.core.facts.product import called
from ivig.core.facts.signs import Sign, doubts
from ivig.core.finding import ERROR, WARNING, Finding, Names, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="product-sucrose-renal-risk",
    severity=ERROR,
    says="{product} contains sucrose: kidney injury is likelier with {what}",
    consider="Consider a product without sucrose, a slow rate, hydration, and watching kidney function.",
    alternatives=True,
)


def concerns(product: Product) -> bool:
    return product.excipients is not None and "sucrose" in product.excipients.words


def check(order: Order, product: Product, renal_signs: Seen[Sign], established: Habit | None) -> Iterator[Finding]:
    if not renal_signs.items:
        return
    grave = [s for s in renal_signs.items if s.grave]
    # A known disease needs no limit: what is only a house guess must not cap it.
    known = [s for s in grave if not s.cites] or grave
    signs = known or list(renal_signs.items)
    assert product.excipients is not None
    cites: tuple[Value, ...] = (product.excipients, *(v for s in signs for v in s.cites))
    yield rule.finding(
        at=(order.path, order.medication_path, *(s.input.path for s in signs if s.input.path)),
        severity=ERROR if grave else eased(WARNING, established, (s.since for s in signs)),
        sums=tuple(s.sum for s in signs if s.sum),
        inputs=tuple(s.input for s in renal_signs.items),
        cites=cites,
        assumed=doubts(signs),
        product=called(product, order),
        what=Names.of(s.what for s in signs),
    )


def content(egfr: Kidney, book: Book) -> str:
    limit = book.policy("renal.warn")
    return f"eGFR {egfr.comparator}{plain(egfr.value)}, not below {plain(limit.number)}; no renal risk factor"
