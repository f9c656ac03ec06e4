"""No dose that can be computed.

What it checks    Whether every instruction of the order (or its group) has a dose that becomes grams or grams per kg.
Why it matters    Without grams neither range nor rate nor risk can be judged.
Example           "IVIG per protocol", without an amount; 280 mL of an unnamed product (beside dose-unit-unusable).
Does not cover    Rate steps and remarks beside an instruction that has a dose; a dose whose days are open
                  (schedule-missing).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.dose import MISSING, Course, Unusable
from ivig.core.finding import WARNING, Finding, Input
from ivig.core.order import Order, Part
from ivig.core.rule import Rule, Seen, root

rule: Rule = root("dose-missing", WARNING, says="The order has no dose that can be computed", code="required")


def check(
    order: Order, courses: Seen[Course], dosing_parts: tuple[Part, ...], unusable: tuple[Unusable, ...]
) -> Iterator[Finding]:
    if MISSING not in courses.lacking:
        return
    bare = [p.path for p in dosing_parts if p.amount is None]
    sums = tuple(f"{u.amount.said}: {u.why}" for u in unusable)
    yield rule.finding(
        at=(order.path, *(bare or (u.amount.path for u in unusable))),
        sums=sums or ("No amount stands on the instruction, and its text holds none that can be read.",),
        inputs=(Input("dose", u.amount.said, "", u.amount.path) for u in unusable),
    )
