"""A dose in a unit that cannot become grams.

What it checks    Whether the unit is a mass, or a volume or vials of a product whose strength or only size is known.
Why it matters    A number in an unknown unit gets guessed by someone; a wrong guess is a tenfold dose.
Example           4 tablets; 280 mL of an unnamed immune globulin (28 g at 10%, 14 g at 5%); 3 vials of Privigen.
Does not cover    A dose that is not there at all (dose-missing, which stands beside this one).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.amount import Unusable
from ivig.core.facts.course import Course
from ivig.core.finding import ERROR, Finding, Input
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="dose-unit-unusable",
    severity=ERROR,
    says="The dose {said} cannot be turned into grams: {why}",
    code="value",
    consider="Consider ordering the dose in grams, or in grams per kg.",
)


def check(order: Order, unusable: Seen[Unusable]) -> Iterator[Finding]:
    for dose in unusable.items:
        yield rule.finding(
            at=(order.path, dose.amount.path),
            inputs=(Input("dose", dose.amount.said, "", dose.amount.path),),
            said=dose.amount.said[:40],
            why=dose.why,
        )


def content(courses: Seen[Course]) -> str:
    return "; ".join(course.sum for course in courses.items)
