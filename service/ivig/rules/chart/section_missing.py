"""A section of the chart was not sent.

What it checks    Which of conditions, medications, allergies, procedures and immunizations were not sent at all.
Why it matters    That something does not stand in a section that was never sent proves nothing; the rules that would
                  have looked there are listed as not judged.
Example           No AllergyIntolerance and no statement of none: earlier reactions cannot be ruled out.
Does not cover    A section that was asked for and failed (chart-unavailable); weights and results, which have issues
                  of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.chart import section
from ivig.core.finding import INFORMATION, WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import SECTION, root

rule = root(
    "chart-section-missing",
    INFORMATION,
    says="A part of the chart was not sent, or a dose on record does not tell how much was given",
    consider="Consider sending the section, or saying that it is empty.",
)

_SECTIONS = ("conditions", "medications", "allergies", "procedures", "immunizations")


def check(order: Order, book: Book) -> Iterator[Finding]:
    if not order.chart.unavailable and order.chart.sections.issuperset(_SECTIONS):
        return
    unsent = tuple(name for name in _SECTIONS if SECTION in section(order, name))
    if not unsent:
        return
    required = book.policy("chart.required_sections")
    grave = not set(required.words).isdisjoint(unsent)
    yield rule.finding(
        at=(order.path,),
        severity=WARNING if grave else INFORMATION,
        says="Not sent: {sections}; what stands there is not known",
        cites=(required,) if grave else (),
        sections=unsent,
    )
