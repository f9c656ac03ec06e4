"""Diseases that thicken the blood, and whether one of them is what the order is for."""

from __future__ import annotations

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.facts.chart import of_set
from ivig.core.facts.excipients import told_by
from ivig.core.facts.indication import kin
from ivig.core.facts.reactions import UNCONFIRMED
from ivig.core.finding import Absent, Input
from ivig.core.order import Condition, Moment, Reason
from ivig.core.rule import Maybe, Seen, fact

THICK = ("paraproteinaemia", "cryoglobulin", "polycythaemia", "hyperviscosity")


class Thick(Struct, frozen=True):
    """A disease that thickens the blood; `treated` where the order is for it."""

    what: str
    set: str
    input: Input
    since: Moment | None
    treated: bool = False
    unconfirmed: bool = False


@fact
def thick_blood(
    condition_sets: Seen[str],
    active: Seen[Condition],
    reasons: tuple[Reason, ...],
    candidates: Maybe[tuple[Indication, ...]],
    book: Book,
) -> Seen[Thick]:
    """Paraprotein, cryoglobulin, polycythaemia, hyperviscosity: in the chart, or as the reason of the order."""
    named = {name for r in reasons for name in THICK if name in r.concept.sets}
    if not named and set(THICK).isdisjoint(condition_sets.items):
        return Seen((), active.lacking)
    keys = frozenset[str]() if isinstance(candidates, Absent) else kin(candidates, book)
    found: dict[str, Thick] = {}
    for name in THICK:
        for c in of_set(active, name)[:1]:
            # The page of the order covers it (paraprotein neuropathy, deficiency in myeloma), or the order names it.
            treated = name in named or not keys.isdisjoint(c.concept.indications)
            told = told_by(c, "condition")
            doubt = c.verification if c.verification in UNCONFIRMED else ""
            shown = Input(told.what, f"{told.value} ({doubt})" if doubt else told.value, told.day, told.path)
            found[name] = Thick(told.value, name, shown, c.recorded or c.onset, treated, bool(doubt))
        if name in named and name not in found:
            reason = next(r for r in reasons if name in r.concept.sets)
            told = told_by(reason, "reason")
            found[name] = Thick(told.value, name, told, reason.onset, True)
    return Seen(tuple(found.values()), active.lacking)
