"""A weight too old for the first planned dose.

What it checks    Days from the weighing to the first planned dose, against a window by setting and age. A setting
                  that is not known has the window of outpatients.
Why it matters    Illness, steroids and growth change weight faster than charts do; the dose rests on it.
Example           Weighed on 2026-08-21, first dose 2026-11-20: 91 days, in an adult outpatient at most 90.
Does not cover    A weight that is estimated or stated: it is used, and every finding that rests on it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.dated import Value
from ivig.core.finding import WARNING, Finding, Input, Measure
from ivig.core.order import Order, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="weight-stale",
    severity=WARNING,
    says="The weight of {day} is {days} days old at the first dose; at most {limit} days",
    consider="Consider weighing the patient again before the dose is prepared.",
)


def check(
    order: Order,
    weight: Result,
    weight_inputs: tuple[Input, ...],
    first_dose: Seen[date],
    weight_window: Value,
    book: Book,
) -> Iterator[Finding]:
    first, weighed = first_dose.items[0], weight.when
    assert weighed is not None
    days = Decimal(max((first - weighed.day).days, 0))
    if days <= weight_window.number:
        return
    outer = book.policy("weight.days.outer_limit")
    beyond = f"; a published order form accepts at most {outer.number}" if days > outer.number else ""
    yield rule.finding(
        at=(order.path, weight.path),
        sums=(f"{weighed.day} to {first}: {days} days{beyond}",),
        inputs=weight_inputs,
        cites=(weight_window, *((outer,) if beyond else ())),
        measure=Measure("d", days, None, weight_window.number, weight_window.source),
        day=weighed.day,
        days=days,
        limit=weight_window.number,
    )


def content(weight: Result, first_dose: Seen[date], weight_window: Value) -> str:
    first, weighed = first_dose.items[0], weight.when
    assert weighed is not None
    return f"{weighed.day} to {first}: {max((first - weighed.day).days, 0)} days, at most {weight_window.number}"
