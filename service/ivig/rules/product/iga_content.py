"""More IgA than a patient without IgA should get.

What it checks    IgA deficiency, by diagnosis or by a serum IgA below the limit that no other antibody deficiency
                  explains, against the IgA of the product (its limit, else its average).
Why it matters    Patients who lack IgA may have antibodies against it and react; products with little IgA are to be
                  had.
Example           Octagam 5% (up to 200 µg/mL) in selective IgA deficiency.
Does not cover    Anti-IgA antibodies and earlier reactions (risk-hypersensitivity). IgA deficiency alone is no
                  contraindication.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Product
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.excipients import iga_content, too_much
from ivig.core.facts.product import called
from ivig.core.facts.signs import Sign
from ivig.core.finding import WARNING, Finding, Measure, Names, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="product-iga-content",
    severity=WARNING,
    says="{what}: {product} holds {got} ug/mL IgA, more than {limit}",
    consider="Consider a product with little IgA.",
)

_UNKNOWN = "{what}: how much IgA {product} holds is not known"


def concerns(product: Product, book: Book) -> bool:
    return too_much(product, book.policy("iga.low_ug_per_ml"))


def check(
    order: Order, product: Product, iga_deficient: Seen[Sign], established: Habit | None, book: Book
) -> Iterator[Finding]:
    low, got = book.policy("iga.low_ug_per_ml"), iga_content(product)
    for sign in iga_deficient.items:
        yield rule.finding(
            at=(order.path, order.medication_path, sign.input.path),
            severity=eased(WARNING, established, (sign.since,)),
            says=None if got is not None else _UNKNOWN,
            inputs=(sign.input,),
            cites=(low, *((product.iga,) if product.iga is not None else ()), *sign.cites),
            measure=Measure(low.unit, got, None, low.number, low.source) if got is not None else None,
            what=Names.of((sign.what,)),
            product=called(product, order),
            got=got,
            limit=low.number,
        )


def content(product: Product, results: dict[str, tuple[Result, ...]], book: Book) -> str:
    low, got = book.policy("iga.low_ug_per_ml"), iga_content(product)
    held = f"{plain(got)} ug/mL" if got is not None else "an unknown amount"
    serum = f"; serum IgA {results['iga'][0].said}" if results.get("iga") else ""
    return f"{product.title} holds {held} of IgA, little is up to {plain(low.number)}; no sign of IgA deficiency{serum}"
