"""A use that is advised against.

What it checks    Whether every reason of the order is one whose page says `not_recommended`.
Why it matters    There the evidence or a guideline speaks against immune globulin: cost and risk without benefit.
Example           Inclusion body myositis (G72.41).
Does not cover    Uses whose evidence is only insufficient (indication-not-routine). One accepted reason beside it
                  suffices.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Indication
from ivig.core.finding import ERROR, Finding, Names
from ivig.core.order import Condition, Order, Reason
from ivig.core.rule import Rule

rule = Rule(
    name="indication-not-recommended",
    severity=ERROR,
    says="{what}: immune globulin is not recommended",
    consider=(
        "Consider another treatment. Where immune globulin is meant all the same, consider recording who decided "
        "it and why."
    ),
)


def check(
    order: Order, candidates: tuple[Indication, ...], reasons: tuple[Reason, ...], inferred: Condition | None
) -> Iterator[Finding]:
    if any(p.status is None or p.status.word != "not_recommended" for p in candidates):
        return
    page = candidates[0]
    assert page.status is not None
    paths = [r.path for r in reasons if page.key in r.concept.indications] + ([inferred.path] if inferred else [])
    yield rule.finding(at=(order.path, *paths), cites=(page.status,), what=Names.of((page.title,)))


_STATUS = {
    "labelled": "a labelled use",
    "guideline": "a use that guidelines support",
    "not_routine": "not a routine use",
}


def content(candidates: tuple[Indication, ...]) -> str:
    return "; ".join(
        f"{p.title}: {_STATUS.get(p.status.word, p.status.word)}" for p in candidates if p.status is not None
    )
