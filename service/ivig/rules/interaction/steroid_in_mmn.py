"""A systemic steroid in multifocal motor neuropathy.

What it checks    Steroids by mouth or injection that run, or begin, while the order does: more than a single dose before an
                  infusion.
Why it matters    Steroids do not help multifocal motor neuropathy and may make the weakness worse; a decline may then be read as
                  failure of immune globulin.
Example           Prednisone 20 mg a day beside monthly immune globulin.
Does not cover    Creams, drops, inhalers and injections into a joint; premedication; whether the steroid is needed for
                  another disease.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book, Indication
from ivig.core.facts.medicines import Use, called, inputs_of
from ivig.core.facts.signs import told_by
from ivig.core.finding import WARNING, Finding
from ivig.core.order import Condition, Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="interaction-steroid-in-mmn",
    severity=WARNING,
    says="{drug} {when}: steroids do not help {disease} and may worsen it",
    consider="Consider whether another disease needs the steroid; if none does, consider tapering it under supervision.",
)


def concerns(indication: Indication, book: Book) -> bool:
    return indication.key in book.policy("interaction.steroid_avoided_in").words


def check(
    order: Order, steroid_uses: Seen[Use | Condition], indication: Indication, first_day: date, book: Book
) -> Iterator[Finding]:
    if not steroid_uses.items:
        return
    taken = [u for u in steroid_uses.items if isinstance(u, Use)]
    noted = [told_by(c, "condition") for c in steroid_uses.items if isinstance(c, Condition)]
    inputs = (*inputs_of(taken), *noted)
    yield rule.finding(
        at=(order.path, *(i.path for i in inputs)),
        inputs=inputs,
        cites=(book.policy("interaction.steroid_avoided_in"),),
        assumed=tuple(u.assumed for u in taken if u.assumed),
        drug=called(taken[0].drug) if taken else "Long-term steroid",
        when=taken[0].when(first_day) if taken else "on record",
        disease=indication.title.lower(),
    )
