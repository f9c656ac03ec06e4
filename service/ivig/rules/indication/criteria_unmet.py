"""The indication's criteria fail.

What it checks    What the page asks of the patient before a first course, or one after a gap: days from onset to the
                  first dose, a score that is high enough, a count or IgG that is low enough, a test that is positive,
                  weeks of pregnancy. With infusions on record only what was known before the first of them.
Why it matters    Late in Guillain-Barré syndrome, or in a patient who walks, or with platelets that need no rise,
                  benefit is unproven.
Example           Guillain-Barré syndrome, 35 days from onset to the first dose; a disability score of 2 that never got
                  worse.
Does not cover    A datum that is not there (indication-criteria-unknown); bleeding, failed drugs and other criteria
                  that aren't computed. Where such a one would suffice, the finding is information and says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication
from ivig.core.facts.criteria import Unmet, held_against
from ivig.core.facts.criterion import Basis
from ivig.core.facts.history import Given
from ivig.core.facts.indication import accepted
from ivig.core.finding import WARNING, Finding, Measure, Names
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="indication-criteria-unmet",
    severity=WARNING,
    says="{what}: {test} {got}, {miss} {limit}",
    consider=(
        "Consider whether this patient is likely to benefit, and recording what speaks for treatment all the same."
    ),
)

_SAYS = {
    "onset-within": "{what}: {got} days from onset to the first dose, more than {limit}",
    "gestation-from": "{what}: {got} weeks of pregnancy at the first dose, before week {limit}",
    "lab-positive": "{what}: {test} {got}",
}
_MISS = {"scale-at-least": "below", "lab-below": "above"}
_LOWER = ("scale-at-least", "gestation-from")  # kinds whose limit is the least that meets them


def concerns(candidates: tuple[Indication, ...]) -> bool:
    return all(p.criteria for p in accepted(candidates))


def check(order: Order, criteria: Seen[Unmet], before: Seen[Given]) -> Iterator[Finding]:
    for unmet in criteria.items:
        limit = None if unmet.limit is None else unmet.limit.number
        lower = unmet.kind in _LOWER
        yield rule.finding(
            at=(order.path, *((unmet.path,) if unmet.path else ())),
            severity=unmet.severity,
            says=_SAYS.get(unmet.kind),
            sums=unmet.sums,
            inputs=unmet.inputs,
            cites=unmet.cites,
            measure=None
            if unmet.limit is None
            else Measure(unmet.unit, unmet.got, limit if lower else None, None if lower else limit, unmet.limit.source),
            consider=(f"It may be met all the same: {unmet.otherwise}.",) if unmet.otherwise else (),
            what=Names.of((unmet.page.title,)),
            test=Names.of((unmet.test,)),
            got=unmet.got if unmet.kind == "onset-within" else unmet.said,
            miss=_MISS.get(unmet.kind, ""),
            limit="" if limit is None else limit,
        )


def content(criteria_bases: tuple[tuple[Indication, Basis], ...], book: Book) -> str:
    """Each criterion with its datum and limit."""
    return held_against(criteria_bases, book)
