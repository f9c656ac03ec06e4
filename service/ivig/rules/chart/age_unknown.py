"""No birth date, or one that leaves the age open.

What it checks    Whether the patient's age on the day of judgement is known.
Why it matters    Doses, dosing weight, plausible weights and several risks depend on age.
Example           A patient without `birthDate`. One born "1981" is judged at both ends of that year, and asked about
                  only if they differ.
Does not cover    An age below what a product is labelled for (product-age-below-label).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.patient import Age
from ivig.core.finding import WARNING, Finding, Input
from ivig.core.order import Order
from ivig.core.rule import root

rule = root(
    "chart-age-unknown",
    WARNING,
    says="The birth date is missing or incomplete: the age is not known",
    consider="Consider completing the birth date.",
)


def check(order: Order) -> Iterator[Finding]:
    chart = order.chart
    at = (order.path,) + ((chart.patient_path,) if chart.patient_path else ())
    if chart.birth is None:
        inputs = (Input("birth date", chart.birth_said, "", chart.patient_path),) if chart.birth_said else ()
        yield rule.finding(at=at, inputs=inputs)
    elif chart.birth[0] > order.day:
        says = "The birth date {birth} lies after the day of judgement: the age is not known"
        inputs = (Input("birth date", chart.birth_said, "", chart.patient_path),)
        yield rule.finding(at=at, says=says, inputs=inputs, birth=chart.birth_said[:20])


def content(age: Age) -> str:
    return f"{age.years} years"
