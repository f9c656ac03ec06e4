"""Evidence was left out because it is later than the day of judgement.

What it checks    How much of the chart is dated after the day by which the order is judged.
Why it matters    An order is judged by what was known on its day; a newer weight or result may change the answer.
Example           An order of 2026-11-20 sent with a weight of 2026-11-22: not used unless `evaluationDate` is
                  2026-11-22 or later.
Does not cover    Plans: an operation or exchange asked for by the day counts although it lies ahead.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import Finding
from ivig.core.order import Order
from ivig.core.rule import note

rule = note(
    "chart-evidence-later",
    says="{count} resource(s) dated after {day} were left out; evaluationDate judges by a later day",
)


def check(order: Order) -> Iterator[Finding]:
    if order.chart.later > 0:
        at = (order.path,) + ((order.chart.later_path,) if order.chart.later_path else ())
        yield rule.finding(at=at, count=order.chart.later, day=order.day)
