"""The indication's criteria fail.

What it checks    What the page asks of the patient before a first course, or one after a gap: days from onset to the
                  first dose, a score that is high enough, a count that is low enough. With infusions on record only
                  what was known before the first of them.
Why it matters    Late in Guillain-Barré syndrome, or in a patient who walks, or with platelets that need no rise,
                  benefit is unproven.
Example           Guillain-Barré syndrome, 35 days from onset to the first dose; a disability score of 2 that never got
                  worse.
Does not cover    A datum that is not there (indication-criteria-unknown); bleeding, failed drugs and other criteria
                  that aren't computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book, Indication
from ivig.core.facts.criteria import Unmet, held_against
from ivig.core.facts.history import Given
from ivig.core.facts.indication import accepted, listed
from ivig.core.finding import WARNING, Finding, Measure
from ivig.core.order import Condition, Order, Reason, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="indication-criteria-unmet",
    severity=WARNING,
    says="{what}: {test} {got}, {miss} {limit}",
    consider=(
        "Consider whether this patient is likely to benefit, and recording what speaks for treatment all the same."
    ),
)

_LATE = "{what}: {got} days from onset to the first dose, more than {limit}"
_MISS = {"scale-at-least": "below", "lab-below": "above"}


def concerns(candidates: tuple[Indication, ...]) -> bool:
    return all(p.criteria for p in accepted(candidates))


def check(order: Order, criteria: Seen[Unmet], before: Seen[Given]) -> Iterator[Finding]:
    for unmet in criteria.items:
        limit = unmet.limit.number
        late, lower = unmet.kind == "onset-within", unmet.kind == "scale-at-least"
        yield rule.finding(
            at=(order.path, *((unmet.path,) if unmet.path else ())),
            severity=unmet.severity,
            says=_LATE if late else None,
            sums=unmet.sums,
            inputs=unmet.inputs,
            cites=unmet.cites,
            measure=Measure(
                unmet.unit, unmet.got, limit if lower else None, None if lower else limit, unmet.limit.source
            ),
            what=listed((unmet.page.title,), 60),
            test=listed((unmet.test,), 30),
            got=unmet.got if late else unmet.said,
            miss=_MISS.get(unmet.kind, ""),
            limit=limit,
        )


def content(
    candidates: tuple[Indication, ...],
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    before: Seen[Given],
    starts: date,
    book: Book,
) -> str:
    return held_against(candidates, reasons, active, results, before, starts, book)
