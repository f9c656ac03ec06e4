"""Days and intervals the page has, and later first days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.dated import later
from ivig.core.dosage_change import DaysChange, IntervalChange, StartChange
from ivig.core.facts.limits import in_days, interval_off
from ivig.core.facts.segment import Segment
from ivig.core.finding import Finding, Measure
from ivig.core.order import Order
from ivig.core.remedies.dosage import concerned, on_days, own_part
from ivig.core.remedy import Candidate, clears
from ivig.core.rule import Seen


@clears("schedule-interval-too-short", "schedule-interval-too-long")
def interval(finding: Finding, order: Order, segments: Seen[Segment], book: Book) -> Iterator[Candidate]:
    for held in segments.items:
        part = own_part(order, held.course) if concerned(finding, held.course) else None
        off = interval_off(held.course, held.limits, book)
        if part is None or off is None:
            continue
        bound = held.limits.interval_lower if off == "short" else held.limits.interval_upper
        weeks = None if bound is None else bound.lower if off == "short" else bound.upper
        if weeks is not None:
            ends = f"the {'shortest' if off == 'short' else 'longest'} interval for {held.limits.what}"
            yield Candidate((IntervalChange(part.path, in_days(weeks)),), because=ends)


@clears("schedule-missing")
def days(order: Order, segments: Seen[Segment]) -> Iterator[Candidate]:
    """As many days as the regimen has; the judge tells on how many the dose comes to its range."""
    for held in segments.items:
        part = own_part(order, held.course)
        if part is None or held.course.days is not None or part.amount is None or not held.limits.pairs:
            continue
        accepted = {d for pair in held.limits.pairs for d in range(pair.least, pair.most + 1)}
        for many in sorted(accepted):
            yield Candidate((DaysChange(part.path, many),), on_days(part, many), f"a regimen of {held.limits.what}")


@clears("dose-cumulative-above-limit")
def after_the_window(
    order: Order, segments: Seen[Segment], first_day: date, urgent: bool, book: Book
) -> Iterator[Candidate]:
    """The longest interval where the order's own cycles come too close, else a later first day."""
    for held in segments.items:
        part, longest = own_part(order, held.course), held.limits.interval_upper
        if part is not None and held.course.repeats and longest is not None and longest.upper is not None:
            because = f"the longest interval for {held.limits.what}"
            yield Candidate((IntervalChange(part.path, in_days(longest.upper)),), because=because)
    yield from _later(order, first_day, urgent, int(book.policy("dose.cumulative_days").number))


@clears("interaction-live-vaccine")
def after_the_vaccine(order: Order, first_day: date, urgent: bool, book: Book) -> Iterator[Candidate]:
    yield from _later(order, first_day, urgent, int(book.policy("interaction.vaccine_before_days").number))


@clears("course-repeat-too-soon")
def after_the_interval(finding: Finding, order: Order, first_day: date, urgent: bool) -> Iterator[Candidate]:
    if finding.measure is not None:
        yield from _later(order, first_day, urgent, _wanting(finding.measure))


def _wanting(measure: Measure) -> int:
    """The days by which an interval is too short."""
    days = {"d": Decimal(1), "wk": Decimal(7)}.get(measure.unit)
    if days is None or measure.lower is None:
        return 0
    wanting = (measure.lower - measure.observed) * days
    return max(0, -int(-wanting // 1))


def _later(order: Order, first_day: date, urgent: bool, most: int) -> Iterator[Candidate]:
    """Each later first day, the nearest first. A treatment that cannot wait is not put off."""
    if urgent or not order.parts or order.group_parts:
        return
    leading = min(order.parts, key=lambda p: (p.sequence or 0, p.start.day if p.start is not None else date.max))
    for days in range(1, most + 1):
        yield Candidate((StartChange(leading.path, later(first_day, days)),))
