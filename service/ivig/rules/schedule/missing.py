"""When the doses are given cannot be told.

What it checks    Whether the timing, the text or the dispensed quantity tells the infusion days of every instruction.
Why it matters    A dose without days is no course: 28 g once and 28 g on five days are different treatments.
Example           28 g daily without a number of days or an end.
Does not cover    An inpatient order without any timing, which is taken as one dose; a dose that is not there
                  (dose-missing).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.course import Course
from ivig.core.finding import WARNING, Finding, Input
from ivig.core.order import Order, Part
from ivig.core.rule import Rule, Seen, root

rule: Rule = root(
    "schedule-missing",
    WARNING,
    says="The days on which the doses are given can't be told",
    code="required",
    consider="Consider stating on how many days, or until when, the dose is given.",
)


def check(order: Order, dosing_parts: tuple[Part, ...]) -> Iterator[Finding]:
    untimed = [p for p in dosing_parts if p.days is None]
    if untimed:
        yield rule.finding(
            at=(order.path, *(p.timing_path or p.path for p in untimed)),
            inputs=(
                Input("timing", "no number of days" if p.said_timing else "none", "", p.timing_path or p.path)
                for p in untimed
            ),
        )


def content(courses: Seen[Course]) -> str:
    return "; ".join(course.sum for course in courses.items)
