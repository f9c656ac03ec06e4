"""No sex on record that the formulas can use.

What it checks    Whether the patient's sex is given as male or female.
Why it matters    Ideal weight and estimated GFR are computed by sex. Where both give the same answer the rule counts
                  as judged.
Example           `gender` absent, `unknown` or `other`.
Does not cover    Pregnancy, which is read from the chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.patient import SEXES
from ivig.core.finding import INFORMATION, Finding
from ivig.core.order import Order
from ivig.core.rule import root

rule = root(
    "chart-sex-unknown",
    INFORMATION,
    says="The sex is not given as male or female: judged both ways",
    consider="Consider giving the sex that the formulas for ideal weight and kidney function ask for.",
)


def check(order: Order) -> Iterator[Finding]:
    chart = order.chart
    if chart.sex not in SEXES:
        yield rule.finding(at=(order.path,) + ((chart.patient_path,) if chart.patient_path else ()))


def content(sex: str) -> str:
    return sex
