"""A C5 inhibitor runs during the order.

What it checks    Eculizumab and ravulizumab that run, or begin, while the order does.
Why it matters    They are antibodies, and immune globulin makes the body clear antibodies faster: the complement inhibitor may
                  fall below the level that protects. With eculizumab a supplementary dose may be needed.
Example           Ravulizumab every eight weeks for myasthenia, and immune globulin for an exacerbation.
Does not cover    Inhibitors that are no antibodies (zilucoplan), unless the policy bars the whole class beside maintenance;
                  the level of the inhibitor; the infections it predisposes to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book
from ivig.core.facts.medicines import Use, called, inputs_of, nearest
from ivig.core.facts.partners import barred
from ivig.core.facts.running import Run
from ivig.core.finding import WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="interaction-c5-inhibitor",
    severity=WARNING,
    says="{drug} {when}: immune globulin may lower it; consider watching for loss of its effect",
    consider="Consider asking whoever prescribes the complement inhibitor about a supplementary dose or its level, and "
    "watching for the return of what it holds down.",
)
_SUPPLEMENTARY = "{drug} {when}: immune globulin lowers it; consider a supplementary dose after the infusion"
_OTHER = "{drug} {when}: this policy bars C5 inhibitors beside immune globulin maintenance"


def concerns(drug_sets: Seen[str], book: Book) -> bool:
    return not set(book.policy("interaction.barred_class").words).isdisjoint(drug_sets.items)


def check(
    order: Order, c5_uses: Seen[Use], first_day: date, own_run: Run, upkeep: bool, book: Book
) -> Iterator[Finding]:
    if not c5_uses.items:
        return
    lowered, extra = book.policy("interaction.lowered"), book.policy("interaction.supplementary_dose")
    use = nearest(c5_uses.items, first_day, own_run.sure)
    severity, block = barred(upkeep, book)
    sets = use.drug.concept.sets
    supplementary = not sets.isdisjoint(extra.words)
    known = () if sets.isdisjoint(lowered.words) else (extra,) if supplementary else (lowered,)
    yield rule.finding(
        at=(order.path, *(u.drug.path for u in c5_uses.items)),
        severity=severity,
        says=_SUPPLEMENTARY if supplementary else None if known else _OTHER,
        inputs=inputs_of(c5_uses.items),
        cites=(*known, *block),
        assumed=tuple(u.assumed for u in c5_uses.items if u.assumed),
        drug=called(use.drug),
        when=use.when(first_day),
    )


def content(own_run: Run, first_day: date) -> str:
    """The days that were looked at."""
    return f"no C5 inhibitor that immune globulin lowers runs from {first_day} to {own_run.sure}"
