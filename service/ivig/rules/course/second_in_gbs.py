"""A second course in Guillain-Barré syndrome without a documented fluctuation.

What it checks    An earlier course of the same illness, or a second one that the order itself plans, and whether a
                  treatment-related fluctuation is on record since: as an observation or a condition, or by a disability
                  score that fell after the earlier course and rose again within weeks of onset. Where the policy asks
                  for it (Australia), also whether disability was scored often enough beside a recorded fluctuation.
Why it matters    In patients with a poor prognosis a second course brought no benefit and more serious adverse events;
                  without a fluctuation after a first improvement there is no reason for one.
Example           Five days of immune globulin from November 5, five more from November 20, the score 4 all the time.
Does not cover    Doses that go on with the first course; an earlier episode; whether plasma exchange came before.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication
from ivig.core.dated import later
from ivig.core.facts.fluctuation import Second
from ivig.core.facts.history import Given
from ivig.core.finding import WARNING, Finding
from ivig.core.order import Order, Part
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="course-second-in-gbs",
    severity=WARNING,
    says="Second course: one ended on {last}, {days} days before; no treatment-related fluctuation is on record",
    consider="Consider documenting the disability score over time and a treatment-related fluctuation, if there was one; "
    "without it a second course brought no benefit and more adverse events. With further worsening consider whether "
    "this is CIDP of acute onset.",
)

_PLANNED = "The order plans a second course from {planned}; no fluctuation after the first can be on record yet"


_UNSCORED = (
    "Second course, {days} days after the first: a fluctuation is on record, disability {scored} times of {wanted}"
)


def concerns(
    indication: Indication, before: Seen[Given], repeating: Maybe[bool], whole_parts: tuple[Part, ...], book: Book
) -> bool:
    if indication.key not in book.policy("gbs.second_course").words:
        return False
    # A single run of days in a patient who has had none is no second course.
    alone = repeating is False and len(whole_parts) == 1 and not whole_parts[0].events
    return not alone or bool(before.items or before.lacking)


def check(order: Order, second_course: Seen[Second]) -> Iterator[Finding]:
    for second in second_course.items:
        earlier = second.earlier
        yield rule.finding(
            at=(order.path, *(dict.fromkeys(i.path for i in second.inputs if i.path))),
            says=_PLANNED if earlier is None else _UNSCORED if second.scored is not None else None,
            sums=(_line(second),),
            inputs=second.inputs,
            cites=second.cites,
            assumed=second.assumed,
            last=earlier.last if earlier is not None else "",
            days=second.days,
            planned=second.planned or "",
            scored=second.scored or 0,
            wanted=second.cites[-1].amount or 0,
        )


def _line(second: Second) -> str:
    if second.earlier is not None:
        return f"{second.earlier.last} to the first dose: {second.days} days"
    first = later(second.planned, -second.days) if second.planned is not None else ""
    return f"By its timing the order begins on {first}, and a second course on {second.planned}: {second.days} days"


def content(before: Seen[Given]) -> str:
    """The last infusion before the order."""
    if not before.items:
        return "no earlier infusion on record"
    return f"last infusion on {before.items[-1].day}: no second course of this illness, or a fluctuation since is on record"
