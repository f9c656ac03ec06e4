"""No weight that can be used.

What it checks    Whether the chart holds a dated weight in a known unit that can be right.
Why it matters    Dose limits, rates and volumes are held against weight; without one the dose cannot be judged.
Example           The only weight was entered in error; or 154 kg after 70 kg, which looks like pounds.
Does not cover    A weight that is old (weight-stale). Why a weight cannot be right is told by weight-implausible.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.weighing import WeightFault, as_input, tells
from ivig.core.finding import WARNING, Finding
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, root

rule = root(
    "weight-missing",
    WARNING,
    says="No usable weight: what is held against weight is not judged",
    consider="Consider weighing the patient.",
)

_WEIGHTS = ("weight_measured", "weight", "weight_estimated", "weight_stated")


def check(order: Order, weight: Maybe[Result], weight_fault: WeightFault | None) -> Iterator[Finding]:
    if not tells(rule.name, weight):
        return
    refused = [r for r in order.chart.results if r.test in _WEIGHTS and (r.problem or r.when is None or r.comparator)]
    if weight_fault is not None:
        refused.append(weight_fault.weight)
    why = (
        f"{r.said}: {r.problem or ('a bound' if r.comparator else 'no day' if r.when is None else 'implausible')}"
        for r in refused
    )
    yield rule.finding(
        at=(order.path, *(r.path for r in refused)),
        sums=tuple(why),
        inputs=tuple(as_input(r, "weight (not usable)") for r in refused),
    )


def content(weight: Result) -> str:
    return f"{weight.said}{f' ({weight.when.day})' if weight.when is not None else ''}"
