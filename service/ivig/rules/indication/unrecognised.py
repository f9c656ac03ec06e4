"""A reason is given, and no page covers it.

What it checks    Whether at least one of the order's reasons, by code or by words, is an indication the knowledge has a
                  page for. Codes of a sequela or of a history never count.
Why it matters    Nobody has written down that immune globulin helps there; dose and criteria can't be judged. It may
                  also be a wrong code.
Example           I10 (hypertension), or G65.0 (sequelae of Guillain-Barré syndrome).
Does not cover    A known reason that is no routine use (indication-not-routine) or advised against
                  (indication-not-recommended).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Indication
from ivig.core.finding import WARNING, Absent, Finding, Input, Names, Root
from ivig.core.order import Order, Reason
from ivig.core.rule import Maybe, Rule

rule = Rule(
    name="indication-unrecognised",
    severity=WARNING,
    says="The reason is not one that immune globulin is known to be used for: {reason}",
    code="code-invalid",
    consider=(
        "Consider checking the code of the reason. Where the use is meant, consider recording who decided it and "
        "on what grounds."
    ),
)


def check(
    order: Order, reason_known: bool, reasons: tuple[Reason, ...], candidates: Maybe[tuple[Indication, ...]]
) -> Iterator[Finding]:
    if not isinstance(candidates, Absent) or Root(rule.name) not in candidates.roots:
        return
    said = {r: r.concept.said or "a code of an unknown system" for r in reasons}
    yield rule.finding(
        at=(order.path, *(r.path for r in reasons)),
        inputs=tuple(Input("reason", what, r.onset.text if r.onset else "", r.path) for r, what in said.items()),
        reason=Names.of(said.values() or ("none that is readable",)),
    )


def content(candidates: tuple[Indication, ...]) -> str:
    return ", ".join(page.title for page in candidates)
