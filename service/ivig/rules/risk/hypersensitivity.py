"""An earlier severe reaction to human immune globulin, or antibodies against IgA.

What it checks    Allergies, conditions and results for an earlier reaction to human immune globulin of any kind, with its
                  severity; antibodies against IgA, with IgA deficiency and with an earlier reaction. Anaphylaxis to blood
                  products and an allergy to serum count as reactions of which it is not said to what they were.
Why it matters    Every label forbids immune globulin after anaphylaxis or a severe systemic reaction to it, and in IgA
                  deficiency with antibodies and a history of hypersensitivity.
Example           Anaphylaxis to immune globulin in 2019: an error. A reaction nobody described: a warning.
Does not cover    Mild reactions such as headache and fever (adjunct-premedication-missing); IgA deficiency alone
                  (product-iga-content); animal globulins, which are other proteins.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.reactions import MILD, SERUM, SEVERE, Reaction, doubted
from ivig.core.facts.signs import Sign
from ivig.core.finding import ERROR, WARNING, Finding, Names, Severity
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="risk-hypersensitivity",
    severity=ERROR,
    says="Contraindicated by every label: earlier severe reaction to immune globulin ({what}{on})",
    contraindication=True,
    consider="Consider another treatment, or the advice of an allergist or immunologist before any immune globulin. In IgA "
    "deficiency with antibodies consider a product with little IgA, given where anaphylaxis can be treated.",
)

_TOLERATED = (
    "Earlier severe reaction to immune globulin ({what}{on}); {count} infusions of this product since without one"
)
_OVER = "Earlier severe reaction to immune globulin ({what}{on}); recorded as resolved or inactive"
_UNSTATED = "Earlier reaction to {to} of unstated severity ({what}{on})"
_WIDE = "Earlier anaphylaxis to {to} ({what}{on}); whether to immune globulin is not said"
_ALL_THREE = "Contraindicated by every label: IgA deficiency, {what}, and an earlier reaction ({reaction})"
_ANTI_IGA = "Antibodies against IgA ({what}){with_deficiency}"


def concerns(reactions: Seen[Reaction], anti_iga: Seen[Sign]) -> bool:
    return bool(anti_iga.items) or any(r.grade != MILD for r in reactions.items)


def check(
    order: Order,
    reactions: Seen[Reaction],
    anti_iga: Seen[Sign],
    iga_deficient: Seen[Sign],
    established: Habit | None,
    products: tuple[Product, ...],
    book: Book,
) -> Iterator[Finding]:
    telling = [r for r in reactions.items if r.grade != MILD]
    severe = sorted((r for r in telling if r.grade == SEVERE and r.sure), key=_foremost)
    if telling:
        first = (severe or sorted(telling, key=_foremost))[0]
        blood = not first.sure and first.grade == SEVERE
        tolerated = bool(severe) and established is not None
        over = bool(severe) and first.over
        milder = WARNING if severe else eased(WARNING, established, (r.since for r in telling))
        yield rule.finding(
            at=(order.path, *(r.input.path for r in telling)),
            severity=ERROR if severe and not tolerated and not over else milder,
            says=_TOLERATED if tolerated else _OVER if over else None if severe else _WIDE if blood else _UNSTATED,
            inputs=(r.input for r in telling),
            cites=_labels(products, "immune_globulin_reaction") if severe else (),
            assumed=doubted(r.input for r in telling),
            what=Names.of((first.what,)),
            on=first.on,
            to=first.to,
            count=established.infusions if established is not None else 0,
        )
    if anti_iga.items:
        alone = book.policy("hypersensitivity.anti_iga_alone")
        proven = bool(iga_deficient.items) and any(r.to != SERUM for r in reactions.items)
        signs = (*anti_iga.items, *iga_deficient.items)
        by_policy = eased(Severity[alone.word.upper()], established, (s.since for s in signs))
        unknown = not iga_deficient.items and bool(iga_deficient.lacking)
        yield rule.finding(
            at=(order.path, *(s.input.path for s in signs)),
            severity=ERROR if proven else by_policy,
            says=_ALL_THREE if proven else _ANTI_IGA,
            inputs=chain((s.input for s in signs), (r.input for r in reactions.items)),
            cites=_labels(products, "iga_deficiency_with_anti_iga") if proven else (alone,),
            assumed=("no IgA deficiency: it can't be seen",) if unknown else (),
            what=Names.of((anti_iga.items[0].what,)),
            reaction=Names.of(r.what for r in reactions.items) if reactions.items else "",
            with_deficiency="; IgA deficiency" if iga_deficient.items else "",
        )


def _foremost(reaction: Reaction) -> tuple[bool, bool, float, str]:
    """Sure before wider, standing before over, then the newest, not as they stand in the chart."""
    since = reaction.since.instant if reaction.since is not None else 0.0
    return not reaction.sure, reaction.over, -since, reaction.what


def _labels(products: tuple[Product, ...], name: str) -> tuple[Value, ...]:
    """The contraindication as the label has it; of several products the first."""
    return tuple(c.value for p in products[:1] for c in p.contraindications if c.set == name)
