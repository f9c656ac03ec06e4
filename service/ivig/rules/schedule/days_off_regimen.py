"""A first course spread over fewer or more days than its regimen.

What it checks    The number of infusion days of an induction course against the accepted pairs of page and label, and
                  the days between them.
Why it matters    Two days instead of five more than double the daily dose; a course drawn out over weeks is no loading.
Example           1 g/kg on two days in Guillain-Barre syndrome, where five days are the regimen.
Does not cover    Maintenance; a course that goes on with an earlier one; what a day holds (dose-daily-above-range).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Book
from ivig.core.facts.dose import MISSING, UNTIMED
from ivig.core.facts.limits import Limits, days_off
from ivig.core.facts.segment import Segment
from ivig.core.finding import WARNING, Finding, Input, Measure
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="schedule-days-off-regimen",
    severity=WARNING,
    says="Infusion days: {days}; accepted for {what}: {accepted}",
    consider="Consider the accepted number of days, or recording why another is meant.",
)

_STRETCHED = "Infusion days are {days} days apart, over {limit}; one course for {what} runs without gaps"


def check(order: Order, segments: Seen[Segment], book: Book) -> Iterator[Finding]:
    if MISSING in segments.lacking or UNTIMED in segments.lacking:
        return  # an instruction that cannot be read may hold the days that are wanting
    longest = book.policy("schedule.max_gap_days")
    for held in segments.items:
        off = days_off(held.course, held.limits, book)
        if off is None or held.continues:
            continue
        few, limits = off == "days", held.limits
        source = limits.pairs_from
        assert source is not None
        days = held.course.days if few else held.course.gap
        assert days is not None
        place = held.course.timing_path or held.course.dose_path
        yield rule.finding(
            at=(order.path, place),
            says=None if few else _STRETCHED,
            sums=(held.course.sum,),
            inputs=(Input("infusion days", str(held.course.days), "", place),),
            assumed=(limits.assumed,) if limits.assumed else (),
            cites=tuple(dict.fromkeys(limits.pair_values)) if few else (longest,),
            measure=Measure(
                "d", Decimal(days), None, None if few else longest.number, (source if few else longest).source
            ),
            days=days,
            accepted=_accepted(limits),
            limit=longest.number,
            what=limits.what,
        )


def content(segments: Seen[Segment]) -> str:
    return "; ".join(
        f"infusion days {held.course.days}, accepted {_accepted(held.limits)} for {held.limits.what}"
        + ("; goes on with an earlier course" if held.continues else "")
        for held in segments.items
        if held.limits.induction and held.limits.pairs and held.course.days is not None
    )


def _accepted(limits: Limits) -> str:
    """The accepted numbers of days, as `2-5` or `1, 2 or 5`."""
    spans = sorted({(p.least, p.most) for p in limits.pairs})
    wide = [s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]
    return " or ".join(str(low) if low == high else f"{low}-{high}" for low, high in wide)
