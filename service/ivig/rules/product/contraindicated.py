"""The label speaks against the product in this patient.

What it checks    The product's own contraindications against the conditions and allergies of the chart:
                  hyperprolinaemia with proline, hereditary fructose intolerance and small children with sorbitol, corn
                  allergy.
Why it matters    Proline or fructose that can't be broken down harms brain, liver and kidney, and can kill.
Example           Privigen in hyperprolinaemia: an error. Octagam 10% in corn allergy, where the label only advises
                  against it: a warning.
Does not cover    Earlier reactions and anti-IgA, which every label has (risk-hypersensitivity). That a disorder was
                  excluded can't be seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Product
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.excipients import STANDARD, Held
from ivig.core.facts.product import called
from ivig.core.finding import ERROR, WARNING, Finding, Names
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="product-contraindicated",
    severity=ERROR,
    says="{product} is contraindicated: {what}",
    contraindication=True,
    consider="Consider a product without the excipient, or another treatment.",
    alternatives=True,
)

_AGAINST = "The label advises against {product}: {what}"
_WIDE = "{product} may be contraindicated: {said} includes {what}"


def check(order: Order, product: Product, contraindicated: Seen[Held], established: Habit | None) -> Iterator[Finding]:
    for held in contraindicated.items:
        against = held.line.says != "contraindicated"
        severity = WARNING if against or held.wide else ERROR
        yield rule.finding(
            at=(order.path, order.medication_path, *((held.input.path,) if held.input.path else ())),
            severity=eased(severity, established, (held.since,)),
            says=_WIDE if held.wide else _AGAINST if against else None,
            inputs=(held.input,),
            cites=(held.line.value,),
            product=called(product, order),
            what=Names.of((held.what.lower() if held.wide else held.what,)),
            said=Names.of((held.input.value,)),
        )


def content(product: Product, book: Book) -> str:
    own = [line for line in product.contraindications if line.set not in STANDARD]
    named = [book.set_title(line.set or line.unless_excluded).lower() for line in own]
    return (
        f"looked for {', '.join(dict.fromkeys(named))}"
        if named
        else f"the label of {product.title} has none of its own"
    )
