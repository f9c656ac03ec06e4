"""The order repeats sooner than the page has it.

What it checks    The interval of the order's own repeat against the shortest of page and label, less four days.
Why it matters    Shorter intervals mean more immune globulin, more cost and more risk, as a rule unintended.
Example           1 g/kg weekly in CIDP, where maintenance is given every three to four weeks.
Does not cover    The distance from doses of other orders (course-repeat-too-soon); grams within four weeks
                  (dose-cumulative-above-limit).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.limits import in_days, interval_off
from ivig.core.facts.segment import Segment
from ivig.core.finding import WARNING, Finding, Input, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="schedule-interval-too-short",
    severity=WARNING,
    says="Repeats every {got} days; for {what} the shortest interval is {limit} weeks",
    consider="Consider a longer interval, or recording why a shorter one is meant.",
)


def concerns(repeating: Maybe[bool]) -> Maybe[bool]:
    return repeating


def check(order: Order, segments: Seen[Segment], book: Book) -> Iterator[Finding]:
    tolerance = book.policy("schedule.interval_tolerance_days")
    for held in segments.items:
        lower, got = held.limits.interval_lower, held.course.interval
        if (
            lower is None
            or lower.lower is None
            or got is None
            or interval_off(held.course, held.limits, book) != "short"
        ):
            continue
        place = held.course.timing_path or held.course.dose_path
        yield rule.finding(
            at=(order.path, place),
            inputs=(Input("interval", f"{got} days", "", place),),
            cites=(lower, tolerance),
            measure=Measure("d", got, in_days(lower.lower), None, lower.source),
            got=got,
            what=held.limits.what,
            limit=lower.lower,
        )


def content(segments: Seen[Segment], book: Book) -> str:
    tolerance = plain(book.policy("schedule.interval_tolerance_days").number)
    return "; ".join(
        f"every {plain(held.course.interval)} days, shortest {plain(lower.lower)} weeks (-{tolerance} days)"
        for held in segments.items
        if (lower := held.limits.interval_lower) is not None and lower.lower is not None and held.course.interval
    )
