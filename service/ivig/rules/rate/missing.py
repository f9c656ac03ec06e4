"""No infusion rate that can be read.

What it checks    Whether the order states how fast it may run, in a unit that is known, for every dose.
Why it matters    Reactions, thrombosis and kidney injury come with fast infusions. Without a rate no ceiling of the
                  label can be held against the order.
Example           70 g once, without a rate; or over 4 hours, which tells the average and not the highest rate.
Does not cover    An average above the ceiling (rate-above-label); rates of a protocol that is only named.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.rates import NO_RATE, Pace, shown_pace
from ivig.core.finding import INFORMATION, Finding, Input
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen, root

rule: Rule = root("rate-missing", INFORMATION, says="The order does not state the rate to begin with", code="required")

_NONE = "The order has no infusion rate"
_UNREAD = "The infusion rate cannot be read: {said}"
_AVERAGE = "Only a duration: {said} on average; the highest rate is not stated"
_BEGINS = "Only the rate to begin with: {said}; the highest rate is not stated"
_PART = "An instruction of the order has no infusion rate"


def check(order: Order, paces: Seen[Pace]) -> Iterator[Finding]:
    if NO_RATE not in paces.lacking:
        return
    unread = [rate for part in order.parts for rate in part.rates if not rate.unit]
    averages = [p for p in paces.items if p.average]
    begins = [p.rate for p in paces.items if p.rate.role == "start"]
    only_begins = bool(begins) and len(begins) + len(averages) == len(paces.items)
    if unread:
        says, said = _UNREAD, unread[0].said[:60]
    elif only_begins:
        says, said = _BEGINS, begins[0].said[:60]
    elif len(averages) < len(paces.items):
        says, said = _PART, ""
    else:
        says, said = (_AVERAGE, shown_pace(averages[0])) if averages else (_NONE, "")
    shown = unread or (begins if only_begins else [p.rate for p in averages])
    bare = [part.path for part in order.parts if part.amount is not None and not part.rates]
    yield rule.finding(
        at=(order.path, *bare, *(r.path for r in shown)),
        says=says,
        inputs=(Input("rate" if unread or only_begins else "duration", r.said, "", r.path) for r in shown),
        said=said,
    )
