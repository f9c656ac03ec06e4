"""The first dose comes too soon after the last one given.

What it checks    Days from the last dose given for the indication to the first of this order, against the shortest
                  interval of page and label, less the tolerance of days. Intervals run from the start of a cycle to that
                  of the next, so the further days of a cycle are taken off. Asked where the order states its start, or
                  is given once.
Why it matters    A dose ahead of time is as a rule a slip or a duplicate, and adds to the risks of a high dose.
Example           70 g on November 7, and 70 g ordered for November 20 in CIDP, where cycles come every three weeks: 13
                  days, at least 17.
Does not cover    Doses close enough to be one course; pages without an interval; an order that renews the one before
                  (priorPrescription); the order's own repeat (schedule-interval-too-short).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Indication
from ivig.core.facts.history import Given
from ivig.core.facts.treatment import Spacing
from ivig.core.finding import WARNING, Finding, Input, Measure, Names, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="course-repeat-too-soon",
    severity=WARNING,
    says="First dose {days} days after the last one, on {last}; {what}: every {weeks} weeks or more",
    consider="Consider moving the first dose to when the next one is due, or ending the order it overlaps with; a "
    "repeat rests on objective benefit.",
)


def concerns(indication: Indication, before: Seen[Given]) -> bool:
    if not (before.items or before.lacking):
        return False
    return any(phase.interval is not None for phase in indication.phases.values())


def check(order: Order, spacing: Seen[Spacing], indication: Indication) -> Iterator[Finding]:
    for gap in spacing.items:
        lower = gap.interval.lower
        if lower is None or gap.days >= gap.least:
            continue
        yield rule.finding(
            at=(order.path, gap.last.path),
            sums=(f"{gap.last.day} to {gap.first}: {gap.days} days", _least(gap)),
            inputs=(Input("last dose", gap.last.day.isoformat(), gap.last.day.isoformat(), gap.last.path),),
            cites=(gap.interval, gap.tolerance) if gap.tolerance is not None else (gap.interval,),
            measure=Measure("d", Decimal(gap.days), gap.least, None, gap.interval.source),
            days=gap.days,
            last=gap.last.day,
            what=Names.of((indication.title,)),
            weeks=lower,
        )


def content(spacing: Seen[Spacing]) -> str:
    return "; ".join(f"{gap.days} days since the last dose ({gap.last.day}); {_least(gap)}" for gap in spacing.items)


def _least(gap: Spacing) -> str:
    """The arithmetic of the shortest distance."""
    less = f" - {plain(gap.tolerance.number)} days tolerated" if gap.tolerance is not None else ""
    further = f" - {gap.further} further days of a cycle" if gap.further else ""
    return f"{plain(gap.interval.lower or Decimal(0))} weeks{less}{further} = at least {plain(gap.least)} days"
