"""No premedication is on record for the infusion.

What it checks    Whether paracetamol, an antihistamine or a systemic steroid runs, stands as an order or draft around the first
                  dose, or is asked for in the order's own words. A warning after an earlier reaction to immune globulin;
                  information where premedication is there and, after such a reaction, holds no steroid.
Why it matters    Headache, fever and chills are the common reactions, and paracetamol and antihistamines soften them; after
                  earlier reactions a steroid is added.
Example           A first course without paracetamol or antihistamine.
Does not cover    Established patients without a reaction: that they need none has been seen. Which medicine, and what dose.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.premedication import in_words
from ivig.core.facts.reactions import SEVERE, Reaction, doubted
from ivig.core.finding import INFORMATION, WARNING, Finding, Names
from ivig.core.order import Drug, Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="adjunct-premedication-missing",
    severity=INFORMATION,
    says="No premedication on record for this infusion; consider paracetamol, and an antihistamine",
    consider="Consider paracetamol, an antihistamine where it helped or is usual here, and a steroid after earlier reactions.",
)

_REACTED = "No premedication, and an earlier reaction to immune globulin ({what}{on}); consider it with a steroid"
_NO_STEROID = "Earlier reaction to immune globulin ({what}{on}), and no steroid in the premedication"


def concerns(premedication: Seen[Drug], reactions: Seen[Reaction]) -> bool:
    return not premedication.items or any(r.sure for r in reactions.items)


def check(
    order: Order,
    premedication: Seen[Drug],
    reactions: Seen[Reaction],
    established: Habit | None,
    book: Book,
) -> Iterator[Finding]:
    asked_for = in_words(order, book)
    kinds = {name for d in premedication.items for name in d.concept.sets} | set(asked_for)
    reacted = [r for r in reactions.items if r.sure]
    there = bool(premedication.items or asked_for)
    severity = eased(WARNING, established, (r.since for r in reacted)) if reacted else INFORMATION
    if not there and (premedication.lacking or (established is not None and not reacted)):
        return
    severe = any(r.grade == SEVERE for r in reacted)  # no premedication makes up for that
    if there and ("systemic_steroid" in kinds or not reacted or severe or severity == INFORMATION):
        return
    unseen = () if reacted or not reactions.lacking else ("no earlier reaction: allergies or conditions were not sent",)
    first = reacted[0] if reacted else None
    yield rule.finding(
        at=(order.path, *(r.input.path for r in reacted), *(d.path for d in premedication.items)),
        severity=INFORMATION if there else severity,
        says=_NO_STEROID if there else _REACTED if reacted else None,
        inputs=tuple(r.input for r in reacted),
        assumed=(*unseen, *doubted(r.input for r in reacted)),
        what=Names.of((first.what,)) if first is not None else "",
        on=first.on if first is not None else "",
    )


def content(premedication: Seen[Drug], order: Order, book: Book) -> str:
    if not premedication.items:
        return ""
    return ", ".join(dict.fromkeys((*(d.concept.text for d in premedication.items), *in_words(order, book))))
