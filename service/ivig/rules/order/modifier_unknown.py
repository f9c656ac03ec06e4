"""The order carries a modifier that is not understood.

What it checks    `modifierExtension` and `implicitRules` on the order and its dosage; evidence that carries one is
                  left out, and said.
Why it matters    A modifier may turn the meaning of an order round ("do not give"); FHIR forbids to ignore it.
Example           A modifierExtension `http://ehr.test/negated` on the order: it may mean the opposite of what was
                  read.
Does not cover    Ordinary extensions, which never change a meaning and are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import INFORMATION, WARNING, Finding, Input
from ivig.core.order import Order
from ivig.core.rule import root

rule = root(
    "order-modifier-unknown",
    WARNING,
    says="The order carries a modifier that is not understood: it may mean something else",
    code="structure",
    any_product=True,
    consider="Consider looking at the order itself: a modifier may turn its meaning round.",
)


def check(order: Order) -> Iterator[Finding]:
    if order.modifiers:
        yield rule.finding(
            at=(order.path, *(path for _, path in order.modifiers)),
            says="{count} modifier(s) on the order not understood: it may mean something else ({url})",
            inputs=tuple(Input("modifier", url, "", path) for url, path in order.modifiers),
            count=len(order.modifiers),
            url=order.modifiers[0][0][-50:],
        )
    left_out = order.chart.not_understood
    if left_out:
        yield rule.finding(
            at=(order.path, *left_out[:20]),
            severity=INFORMATION,
            says="{count} resource(s) of the chart not used: a modifier on them is not understood",
            about="evidence",
            count=len(left_out),
        )
