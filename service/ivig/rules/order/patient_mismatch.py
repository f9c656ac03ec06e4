"""The order or its evidence is not this patient's.

What it checks    The subject of the order against the patient sent; how much of the evidence has another subject.
Why it matters    An order judged by another patient's weight, kidneys and allergies is worse than one not judged at
                  all.
Example           An order for Patient/p2 sent with Patient/p1: an error. Three results of Patient/p2: not used, a
                  warning with the count.
Does not cover    A subject that cannot be compared because no patient was sent.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import ERROR, INFORMATION, WARNING, Finding, Input
from ivig.core.order import Order
from ivig.core.rule import Rule

rule = Rule(
    name="order-patient-mismatch",
    severity=ERROR,
    says="The order is for {subject}, not for the patient sent",
    any_product=True,
    consider="Consider checking whose order and whose chart these are before anything else is decided.",
)


def check(order: Order) -> Iterator[Finding]:
    chart = order.chart
    if order.subject_matches is False:
        at = (order.path, f"{order.path}.subject") + ((chart.patient_path,) if chart.patient_path else ())
        inputs = (Input("subject of the order", order.subject, "", f"{order.path}.subject"),)
        yield rule.finding(at=at, inputs=inputs, subject=order.subject[:60] or "someone else")
        return  # then all that was sent is another patient's
    if not order.subject and chart.patient_path:
        says = "The order names no patient: it is taken to be for the one patient sent"
        yield rule.finding(at=(order.path, chart.patient_path), severity=INFORMATION, says=says)
    if chart.strangers:
        yield rule.finding(
            at=(order.path,) + ((chart.stranger_path,) if chart.stranger_path else ()),
            severity=WARNING,
            says="{count} resource(s) sent as evidence are about another patient and were not used",
            count=chart.strangers,
        )
