"""Another immune globulin order runs on the same days.

What it checks    Whether another polyvalent order, IV or SC, of the same patient runs on days of this one. An order
                  without an end runs some intervals beyond its last known dose.
Why it matters    Two orders that both get given double the dose: thrombosis, haemolysis, kidney injury.
Example           Gamunex-C on 20 and 21 November, and Octagam on the same two days: a warning. The same product,
                  indication and interval ordered anew while the old order still runs is a renewal: information.
Does not cover    The same order sent twice, parent and child, a group, the predecessor it names, hyperimmunes; orders
                  that only touch.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.running import Other, Run, polyvalent
from ivig.core.finding import INFORMATION, WARNING, Finding, Input
from ivig.core.order import Condition, Order, Reason
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="order-duplicate",
    severity=WARNING,
    says="Another immune globulin order, {name}, runs on the same days: {first} to {last}",
    any_product=True,
    consider=(
        "Consider stopping one of the two orders, or confirming that both are meant. Immune globulin by vein and "
        "under the skin are alternatives."
    ),
)

_RENEWAL = "Renewal of {name}: the order before it still runs, {first} to {last}"


_TOLD = 10  # of many others the first few are named: the decision is the same


def concerns(order: Order, class_ordered: str, other_orders: Seen[Other]) -> bool:
    return polyvalent(class_ordered, order.route) and bool(other_orders.items)


def _name(keys: tuple[str, ...], book: Book) -> str:
    """The product's title, the brand where its strength is open, or that there is none."""
    pages = [book.product(key) for key in keys]
    names = {p.title for p in pages} if len(pages) == 1 else {p.brand for p in pages}
    return names.pop() if len(names) == 1 else "brand not stated"


def check(
    order: Order,
    own_run: Run,
    overlapping: Seen[Other],
    reasons: tuple[Reason, ...],
    inferred: Condition | None,
    book: Book,
) -> Iterator[Finding]:
    concepts = [r.concept for r in reasons] + ([inferred.concept] if inferred is not None else [])
    wanted = {key for concept in concepts for key in concept.indications}
    for other in overlapping.items[:_TOLD]:
        there, run = other.infusion, other.run
        renewal = (
            bool(there.products)
            and set(there.products) == set(order.products)
            and not wanted.isdisjoint(there.indications)
            and bool(run.intervals)
            and run.intervals == own_run.intervals
            and run.first != own_run.first
        )
        name = _name(there.products, book)
        yield rule.finding(
            at=(order.path, there.path),
            severity=INFORMATION if renewal else WARNING,
            says=_RENEWAL if renewal else None,
            sums=(f"This order: {own_run.sum}", f"Other order: {run.sum}"),
            inputs=(Input("other order", name, there.start.text if there.start else "undated", there.path),),
            cites=own_run.cites or run.cites,
            name=name,
            first=max(run.first, own_run.first),
            last=min(run.last, own_run.last),
        )


def content(own_run: Run, other_orders: Seen[Other]) -> str:
    others = ", ".join(o.run.sum for o in other_orders.items[:_TOLD])
    return f"this order runs {own_run.sum}; others, on no day of it, {others}"
