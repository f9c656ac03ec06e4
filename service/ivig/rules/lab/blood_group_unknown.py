"""The blood group is not known, and the first course is large enough to matter.

What it checks    Whether an ABO group is on record before a first course that reaches the dose from which haemolysis
                  was reported, per kg of actual weight and without tolerance.
Why it matters    Antibodies in the product destroy red cells of groups A, B and AB.
Example           2 g/kg over 5 days in a patient whose blood group nobody recorded.
Does not cover    A known group other than O (risk-haemolysis).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.dose import PerKg
from ivig.core.facts.labs import lab_absent
from ivig.core.facts.weighing import tells
from ivig.core.finding import INFORMATION, Finding, Measure, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Seen, root

rule = root(
    "lab-blood-group-unknown",
    INFORMATION,
    says="No blood group on record",
    consider="Consider determining the blood group before the first dose.",
)


def concerns(order: Order, first_course: bool, results: dict[str, tuple[Result, ...]]) -> Maybe[bool | None]:
    if not first_course:
        return False
    if any(r.words for r in results.get("abo", ())):
        return None
    missing = lab_absent(order, "abo", rule.name)
    return True if tells(rule.name, missing) else missing


def check(order: Order, per_kg: Seen[PerKg], book: Book) -> Iterator[Finding]:
    limit = book.policy("haemolysis.g_per_kg")
    most = max((d for d in per_kg.items if d.total_high is not None), key=lambda d: d.total_high or 0, default=None)
    if most is None or most.total_high is None or most.total_high < limit.number:
        return
    yield rule.finding(
        at=(order.path, most.course.dose_path),
        says="No blood group on record before a first course of {got} g/kg; it matters from {limit} g/kg",
        sums=most.sums,
        inputs=most.inputs,
        cites=(limit,),
        measure=Measure("g/kg", most.total_high, None, limit.number, limit.source),
        got=round(most.total_high, 2),
        limit=limit.number,
    )


def content(results: dict[str, tuple[Result, ...]], per_kg: Seen[PerKg], book: Book) -> str:
    known = next((r.words for r in results.get("abo", ()) if r.words), "")
    if known:
        return f"group {known.removeprefix('blood_group_').upper()}"
    most = max((d.total_high for d in per_kg.items if d.total_high is not None), default=None)
    limit = book.policy("haemolysis.g_per_kg")
    return f"{plain(most)} g/kg, it matters from {plain(limit.number)}" if most is not None else ""
