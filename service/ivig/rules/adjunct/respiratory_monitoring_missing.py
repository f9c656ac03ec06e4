"""No watch over breathing in Guillain-Barré syndrome or myasthenic crisis.

What it checks    A forced vital capacity, inspiratory force or vital capacity measured, or ordered, within hours of the order.
Why it matters    Breathing may fail within hours and without warning signs; immune globulin takes days and does not replace
                  the watch.
Example           Guillain-Barré syndrome on the ward, the last vital capacity the day before yesterday.
Does not cover    Patients on a ventilator, outpatients and patients at home; what the values are; how often they are taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication
from ivig.core.facts.watch import Sign
from ivig.core.finding import WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="adjunct-respiratory-monitoring-missing",
    severity=WARNING,
    says="{disease}: no FVC, NIF or vital capacity measured or ordered in {hours} h",
    consider="Consider serial vital capacity and inspiratory force, and where they are watched; in a child too small for them, "
    "what the unit uses instead.",
)


def concerns(indication: Indication, setting: str, book: Book) -> bool:
    watched = indication.key in book.policy("adjunct.respiratory_for").words
    return watched and setting not in ("outpatient", "home")


def check(order: Order, breathing: Seen[Sign], indication: Indication, book: Book) -> Iterator[Finding]:
    if breathing.items or breathing.lacking:
        return
    hours = book.policy("adjunct.respiratory_hours")
    yield rule.finding(
        at=(order.path,),
        cites=(hours, book.policy("adjunct.respiratory_for")),
        assumed=() if order.setting else ("the setting is not told: taken as in hospital",),
        disease=indication.title,
        hours=hours.number,
    )


def content(breathing: Seen[Sign], book: Book) -> str:
    """What was found."""
    first = breathing.items[0]
    return f"{book.test_title(first.what)}: {first.input.value}, {first.input.day}".rstrip(", ")
