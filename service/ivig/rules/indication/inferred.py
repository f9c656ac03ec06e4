"""The reason was taken from the chart.

What it checks    Whether the order gives no reason and exactly one condition active on the day is one that immune
                  globulin is used for.
Why it matters    The order is judged by that condition. If it is for something else, every dose finding is about the
                  wrong disease.
Example           No `reasonCode`, and CIDP as the only such condition: judged as an order for CIDP.
Does not cover    Two such conditions, or none (indication-missing).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.finding import Finding, Input, Names
from ivig.core.order import Condition, Order
from ivig.core.rule import note

rule = note("indication-inferred", says="No reason on the order: judged by the condition {what}", any_product=False)


def check(order: Order, inferred: Condition | None, book: Book) -> Iterator[Finding]:
    if inferred is None:
        return
    title = book.indication(inferred.concept.indications[0]).title
    seen = inferred.recorded or inferred.onset
    said = inferred.concept.text or inferred.concept.codes[0][1]
    yield rule.finding(
        at=(order.path, inferred.path),
        inputs=(Input("condition", said, seen.text if seen else "", inferred.path),),
        what=Names.of((inferred.concept.text or title,)),
    )
