"""The order repeats later than the page has it.

What it checks    The interval of the order's own repeat against the longest of page and label, plus four days.
Why it matters    The effect may wear off before the next dose; in a trial of tapering it is what is wanted.
Example           0.5 g/kg every eight weeks in primary immunodeficiency, where it is every three to four weeks.
Does not cover    Whether a longer interval is a planned taper, which the order does not say.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.limits import in_days, interval_off
from ivig.core.facts.segment import Segment
from ivig.core.finding import INFORMATION, Finding, Input, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="schedule-interval-too-long",
    severity=INFORMATION,
    says="Repeats every {got} days; for {what} the longest interval is {limit} weeks",
    consider=("Consider whether the longer interval is a planned taper: the effect may wear off before the next dose."),
)


def concerns(repeating: Maybe[bool]) -> Maybe[bool]:
    return repeating


def check(order: Order, segments: Seen[Segment], book: Book) -> Iterator[Finding]:
    tolerance = book.policy("schedule.interval_tolerance_days")
    for held in segments.items:
        upper, got = held.limits.interval_upper, held.course.interval
        if (
            upper is None
            or upper.upper is None
            or got is None
            or interval_off(held.course, held.limits, book) != "long"
        ):
            continue
        place = held.course.timing_path or held.course.dose_path
        yield rule.finding(
            at=(order.path, place),
            inputs=(Input("interval", f"{got} days", "", place),),
            cites=(upper, tolerance),
            measure=Measure("d", got, None, in_days(upper.upper), upper.source),
            got=got,
            what=held.limits.what,
            limit=upper.upper,
        )


def content(segments: Seen[Segment], book: Book) -> str:
    tolerance = plain(book.policy("schedule.interval_tolerance_days").number)
    return "; ".join(
        f"every {plain(held.course.interval)} days, longest {plain(upper.upper)} weeks (+{tolerance} days)"
        for held in segments.items
        if (upper := held.limits.interval_upper) is not None and upper.upper is not None and held.course.interval
    )
