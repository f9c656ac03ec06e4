"""No reason on the order, and none that the chart could stand in with.

What it checks    Whether the order gives a reason; if not, whether exactly one condition active on the day is one that
                  immune globulin is used for.
Why it matters    Dose, interval and criteria hang on the indication. Without one only the default ceiling is judged.
Example           An order without `reasonCode` for a patient with CIDP and immune thrombocytopenia: two, so neither is
                  taken.
Does not cover    A reason that is there and not known (indication-unrecognised); the one condition that is taken
                  (indication-inferred).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication
from ivig.core.finding import WARNING, Absent, Finding, Input, Names, Root
from ivig.core.order import Condition, Order
from ivig.core.rule import Maybe, Rule

rule = Rule(
    name="indication-missing",
    severity=WARNING,
    says="No reason on the order, and no active condition that immune globulin is used for",
    code="required",
    consider="Consider adding the reason to the order: dose, interval and criteria hang on it.",
)

_SEVERAL = "No reason on the order; more than one condition it could be for: {names}"
_UNSENT = "No reason on the order; the conditions of the chart were not sent"


def check(
    order: Order,
    candidates: Maybe[tuple[Indication, ...]],
    chart_indications: dict[str, tuple[Condition, ...]],
    book: Book,
) -> Iterator[Finding]:
    if not isinstance(candidates, Absent) or Root(rule.name) not in candidates.roots:
        return
    found = [chart_indications[key][0] for key in sorted(chart_indications)]
    inputs = tuple(Input("condition", c.concept.text or c.concept.codes[0][1], "", c.path) for c in found)
    if found:
        titles = [book.indication(c.concept.indications[0]).title for c in found]
        at = (order.path, *(c.path for c in found))
        yield rule.finding(at=at, says=_SEVERAL, inputs=inputs, names=Names.of(titles))
    else:
        sent = "conditions" in order.chart.sections
        yield rule.finding(at=(order.path,), says=None if sent else _UNSENT)


def content(candidates: tuple[Indication, ...]) -> str:
    return ", ".join(page.title for page in candidates)
