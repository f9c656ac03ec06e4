"""The patient is deceased on the day of judgement.

What it checks    The patient's date of death, or the statement of it, against the day of judgement.
Why it matters    Such an order stands in the wrong chart, or was never stopped.
Example           Deceased 2026-11-19, order of 2026-11-20: an error.
Does not cover    A death after the day of judgement: history is judged by its own day. A date of death whose month or
                  year holds the day is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import ERROR, WARNING, Finding, Input
from ivig.core.order import Order
from ivig.core.rule import Rule

rule = Rule(
    name="order-patient-deceased",
    severity=ERROR,
    says="The patient is recorded as deceased ({when})",
    any_product=True,
    consider=(
        "Consider checking the patient's identity and status; an order that was never stopped may have to be "
        "discontinued."
    ),
)


def check(order: Order) -> Iterator[Finding]:
    death, patient = order.chart.deceased, order.chart.patient_path
    if death is None or death is False:
        return
    if death is True:
        told = Input("deceased", "true", "", patient)
        yield rule.finding(at=(order.path, patient), inputs=(told,), when="no date given")
        return
    if death.day > order.day:
        return
    timed = death.timed and order.moment.timed and death.day == order.day
    if timed and death.instant > order.moment.instant:
        return  # died later on the day of the order
    yield rule.finding(
        at=(order.path, patient),
        severity=ERROR if death.last <= order.day else WARNING,
        says=None if death.last <= order.day else "The patient may be deceased on {day}: date of death {when}",
        inputs=(
            Input("deceased", death.text, death.text, patient),
            Input("day of judgement", order.day.isoformat(), "", order.path),
        ),
        when=death.text,
        day=order.day,
    )
