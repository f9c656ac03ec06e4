"""Thrombosis is likelier: an earlier event, or several factors together.

What it checks    An earlier arterial or venous event, over or not: a warning; so are four factors of age over 65,
                  immobility, a hypercoagulable state, systemic oestrogen, a central line, hyperviscosity, vascular disease
                  (coronary, stroke, peripheral), any of hypertension, lipids and diabetes (together one), a day of 35 g
                  or more. Two or three: information. An established patient whose facts are all older than the last
                  infusion: information.
Why it matters    Boxed warning of every label: thrombosis may follow immune globulin, above all large doses and fast rates.
Example           Pulmonary embolism in 2021.
Does not cover    The rate itself (rate-above-at-risk-ceiling); immobility that only a disability score shows; lines of
                  which no condition and no recent procedure tells.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Product
from ivig.core.facts.established import Habit, habit_line
from ivig.core.facts.risk import slowly
from ivig.core.facts.signs import doubts
from ivig.core.facts.thrombosis import Clots, Thrombosis
from ivig.core.finding import WARNING, Finding, Names, Severity
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="risk-thrombosis",
    severity=WARNING,
    says="{count} risk factors for thrombosis: {what}",
    consider="Consider the smallest practicable dose, spread over more days, the slowest practicable rate and good "
    "hydration; signs of thrombosis during and after the infusion.",
)

_EVENT = "An earlier event makes thrombosis likelier: {event}{more}"


def concerns(thrombosis_finding: Seen[Thrombosis]) -> bool | None:
    return bool(thrombosis_finding.items) or None


def check(
    order: Order,
    thrombosis_finding: Seen[Thrombosis],
    thrombosis_severity: Severity | None,
    product: Maybe[Product],
    established: Habit | None,
) -> Iterator[Finding]:
    for found in thrombosis_finding.items:
        severity = thrombosis_severity or found.severity
        held = found.clots
        count = len(held.factors)
        more = f"; {count} factor{'' if count == 1 else 's'} beside it" if count else ""
        yield rule.finding(
            at=(order.path, *(s.input.path for s in found.signs if s.input.path)),
            severity=severity,
            says=_EVENT if held.events else None,
            sums=_lines(held),
            inputs=(s.input for s in found.signs),
            cites=(*found.cites, *(v for s in found.signs for v in s.cites)),
            assumed=(*doubts(found.signs), *(habit_line(established) if severity != found.severity else ())),
            consider=(slowly(product),),
            count=count,
            what=Names.of(held.factors),
            event=Names.of(s.what for s in held.events),
            more=more,
        )


def _lines(held: Clots) -> tuple[str, ...]:
    """Every event and every factor with its evidence, a line each."""
    factors = ((f"{place}. {name}", signs) for place, (name, signs) in enumerate(held.factors.items(), 1))
    lines = (f"{name}: {Names.of(s.what for s in signs)}" for name, signs in factors)
    return (*(f"Earlier event: {s.what}" for s in held.events), *lines)


def content(clots: Clots) -> str:
    """The factors there are."""
    return ", ".join(clots.factors) or "no factor, no earlier event"
