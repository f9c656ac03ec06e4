"""A use that is not routine.

What it checks    Whether every reason of the order is one whose page says `not_routine`, and none of the page's
                  exceptions holds. Myasthenia gravis without signs of exacerbation, a planned operation or a newly
                  begun drug counts as maintenance.
Why it matters    Immune globulin is scarce and has risks; where it is not routine somebody should have decided for this
                  patient.
Example           Multiple sclerosis (G35.A) outside of pregnancy and the months after birth.
Does not cover    Uses advised against (indication-not-recommended). An exception that can't be seen does not count.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Indication
from ivig.core.facts.choice import Told, holds
from ivig.core.facts.indication import accepted
from ivig.core.finding import WARNING, Finding, Names
from ivig.core.order import Condition, Order, Reason
from ivig.core.rule import Rule

rule = Rule(
    name="indication-not-routine",
    severity=WARNING,
    says="{what}: not a routine use of immune globulin{unless}",
    consider="Consider what other treatment there is, and recording who decided for this patient and why.",
)

_NAMED = {"pregnant": "pregnancy", "postpartum": "the months after birth"}


def concerns(candidates: tuple[Indication, ...]) -> bool:
    left = accepted(candidates)
    return any(p.status is not None and p.status.word == "not_routine" for p in left)


def check(
    order: Order,
    candidates: tuple[Indication, ...],
    reasons: tuple[Reason, ...],
    inferred: Condition | None,
    told: Told,
) -> Iterator[Finding]:
    pages = [p for p in candidates if p.status is not None and p.status.word == "not_routine"]
    if any(holds(e, page, told) is True for page in pages for e in page.exceptions):
        return
    page = pages[0]
    assert page.status is not None
    kinds = [_NAMED[e.kind] for e in page.exceptions if e.kind in _NAMED]
    paths = [r.path for r in reasons if page.key in r.concept.indications] + ([inferred.path] if inferred else [])
    yield rule.finding(
        at=(order.path, *paths),
        cites=(page.status,),
        what=Names.of((page.title,)),
        unless=f", except in {' and '.join(kinds)}" if kinds else "",
    )


def content(candidates: tuple[Indication, ...], told: Told) -> str:
    met = [e.kind for page in candidates for e in page.exceptions if holds(e, page, told) is True]
    return f"not routine, and an exception of the page holds: {', '.join(met)}" if met else ""
