"""No dose that can be computed.

What it checks    Whether every instruction of the order (or its group) has a dose that becomes grams or grams per kg.
Why it matters    Without grams neither range nor rate nor risk can be judged.
Example           "IVIG per protocol", without an amount; 280 mL of an unnamed product (beside dose-unit-unusable).
Does not cover    Rate steps and remarks beside an instruction that has a dose; a dose whose days are open
                  (schedule-missing).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Product
from ivig.core.facts.amount import Unusable, dose_of
from ivig.core.facts.course import Course
from ivig.core.finding import WARNING, Finding, Input
from ivig.core.order import Order, Part
from ivig.core.rule import Maybe, Rule, Seen, root

rule: Rule = root(
    "dose-missing",
    WARNING,
    says="The order has no dose that can be computed",
    code="required",
    consider="Consider stating the dose in grams, or in grams per kg.",
)


def check(
    order: Order,
    dose_lacking: bool,
    dosing_parts: tuple[Part, ...],
    strength: Maybe[Decimal],
    products: tuple[Product, ...],
) -> Iterator[Finding]:
    if not dose_lacking:
        return
    made = [(part, dose_of(part, strength, products)) for part in dosing_parts]
    bare = [part.path for part, dose in made if dose is None]
    unread = [dose for _, dose in made if isinstance(dose, Unusable)]
    yield rule.finding(
        at=(order.path, *bare, *(u.amount.path for u in unread)),
        sums=(
            *(("No amount stands on the instruction, and its text holds none that can be read.",) if bare else ()),
            *(f"{u.amount.said}: {u.why}" for u in unread),
        ),
        inputs=(Input("dose", u.amount.said, "", u.amount.path) for u in unread),
    )


def content(courses: Seen[Course]) -> str:
    return "; ".join(course.sum for course in courses.items)
