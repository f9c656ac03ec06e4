"""A lost leg or foot: body mass index and ideal weight do not hold.

What it checks    An acquired absence of (part of) a lower limb in the chart.
Why it matters    Height tables know nothing of a missing limb; the dose then rests on actual weight.
Example           Z89.511, absence of the right leg below the knee.
Does not cover    Upper limbs.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.chart import of_set
from ivig.core.finding import INFORMATION, Finding, Input
from ivig.core.order import Condition, Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="weight-amputation",
    severity=INFORMATION,
    says="{what}: body mass index and ideal weight do not hold; judged on actual weight",
    consider="Consider a weight measured since, since height tables do not tell an ideal weight here.",
)


def check(order: Order, conditions: Seen[Condition]) -> Iterator[Finding]:
    for lost in of_set(conditions, "amputation")[:1]:
        known = lost.recorded or lost.onset
        text = lost.concept.text or "Acquired absence of a lower limb"
        yield rule.finding(
            at=(order.path, lost.path),
            inputs=(Input("condition", text, known.text if known else "", lost.path),),
            what=text[:50],
        )
