"""Serum IgA is not known before a first course.

What it checks    Whether an IgA was ever measured, or its deficiency recorded, before a first course.
Why it matters    In IgA deficiency with antibodies against IgA, immune globulin can cause anaphylaxis.
Example           A first course for Guillain-Barré syndrome without any IgA in the chart.
Does not cover    Known IgA deficiency (product-iga-content, risk-hypersensitivity).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.chart import of_set
from ivig.core.facts.labs import lab_absent
from ivig.core.facts.weighing import tells
from ivig.core.finding import INFORMATION, Finding
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Maybe, Seen, root

rule = root(
    "lab-iga-unknown",
    INFORMATION,
    says="No serum IgA on record",
    consider="Consider measuring serum IgA before the first dose.",
)


def concerns(order: Order, first_course: bool, results: dict[str, tuple[Result, ...]]) -> Maybe[bool | None]:
    if not first_course:
        return False
    if results.get("iga"):
        return None
    missing = lab_absent(order, "iga", rule.name)
    return True if tells(rule.name, missing) else missing


def check(order: Order, conditions: Seen[Condition]) -> Iterator[Finding]:
    if not of_set(conditions, "iga_deficiency"):
        says = "No serum IgA on record before this first course"
        yield rule.finding(at=(order.path,), says=says, sums=("One result suffices for life.",))


def content(results: dict[str, tuple[Result, ...]], conditions: Seen[Condition]) -> str:
    measured = results.get("iga", ())
    return f"serum IgA {measured[0].said}" if measured else "IgA deficiency is on record"
