"""The scores show no improvement under a repeated treatment.

What it checks    In maintenance, the newest score of each scale against those from before treatment (or its first
                  weeks): whether it is better by what counts as a change on that scale.
Why it matters    Without benefit after an adequate trial, further courses bring only their risks.
Example           CIDP: INCAT 5 before the first infusion and 5 five months later; an improvement is 1 point.
Does not cover    Scales without a known meaningful change, which can show a gain but not its absence; a response that
                  came before the first infusion on record. Scores of the first weeks are information only, and so are those of
                  a disease that was on record long before the first infusion was.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication
from ivig.core.facts.indication import MAINTENANCE
from ivig.core.facts.response import Judged, Response, input_of
from ivig.core.finding import INFORMATION, WARNING, Finding, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="course-response-absent",
    severity=WARNING,
    says="No improvement: {test} {before} on {then}, {latest} on {now}; a response is {change} or more",
    consider="Consider whether the trial was long and the dose high enough and the diagnosis stands; without objective "
    "benefit consider ending immune globulin and another treatment.",
)

_FIRST = "The first infusion on record is taken for the first of the treatment."
_CUT = "The disease was on record long before the first infusion that is: an earlier response may not be on record."


def concerns(indication: Indication) -> bool:
    return bool(indication.scales) and MAINTENANCE in indication.phases


def check(order: Order, no_response: Seen[Judged], book: Book) -> Iterator[Finding]:
    if not no_response.items:
        return
    found = no_response.items
    worst = found[0]
    inputs = tuple(input_of(r, book) for judged in found for r in (judged.before, judged.latest))
    yield rule.finding(
        at=(order.path, *(i.path for i in inputs)),
        severity=INFORMATION if all(j.early or j.cut for j in found) else WARNING,
        sums=tuple(
            f"{book.test_title(j.scale.test)}: better by {plain(j.gain)}, a response is {plain(j.change.number)}"
            for j in found
        ),
        inputs=inputs,
        cites=(*(j.change for j in found), *((worst.trial,) if worst.early else ())),
        measure=Measure(worst.change.unit, worst.gain, worst.change.number, None, worst.change.source),
        assumed=(_CUT if worst.cut else _FIRST,),
        test=book.test_title(worst.scale.test),
        before=worst.before.value,
        then=worst.before.when.day if worst.before.when else "",
        latest=worst.latest.value,
        now=worst.latest.when.day if worst.latest.when else "",
        change=worst.change.number,
    )


def content(response: Seen[Response], book: Book) -> str:
    told = []
    for scale in (f for held in response.items for f in held.scales):
        if scale.gain is None:
            continue
        least = f", a response is {plain(scale.change.number)}" if scale.change else ", its meaningful change not known"
        told.append(f"{book.test_title(scale.test)} better by {plain(scale.gain)}{least}")
    return "; ".join(told)
