"""Diseases that thicken the blood, and whether one of them is what the order is for."""

from __future__ import annotations

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.facts.chart import of_set
from ivig.core.facts.indication import kin
from ivig.core.facts.reactions import told
from ivig.core.facts.signs import told_by
from ivig.core.finding import Absent, Input
from ivig.core.order import Condition, Moment, Reason
from ivig.core.rule import Maybe, Seen, fact

THICK = ("paraproteinaemia", "cryoglobulin", "polycythaemia", "hyperviscosity")
_SETS = frozenset(THICK)


class Thick(Struct, frozen=True):
    """A disease that thickens the blood; `treated` where the order is for it."""

    what: str
    set: str
    input: Input
    since: Moment | None
    treated: bool = False


@fact
def thick_blood(
    condition_sets: Seen[str],
    active: Seen[Condition],
    reasons: tuple[Reason, ...],
    candidates: Maybe[tuple[Indication, ...]],
    book: Book,
) -> Seen[Thick]:
    """Paraprotein, cryoglobulin, polycythaemia, hyperviscosity: in the chart, or as the reason of the order."""
    named = {name for r in reasons if r.concept.sets for name in r.concept.sets if name in _SETS}
    if not named and _SETS.isdisjoint(condition_sets.items):
        return Seen((), active.lacking)
    pages = () if isinstance(candidates, Absent) else candidates
    keys = kin(pages, book)
    caused = any(page.key in book.policy("hyperviscosity.deficiencies").words for page in pages)
    found: dict[str, Thick] = {}
    for name in THICK:
        for c in of_set(active, name)[:1]:
            # The order names it, its page covers it (paraprotein neuropathy), or it is for the deficiency that this disease made.
            treated = caused or name in named or not keys.isdisjoint(c.concept.indications)
            since = c.recorded or c.onset
            found[name] = Thick(told_by(c).value, name, told(c, "condition"), since, treated)
        if name in named and name not in found:
            reason = next(r for r in reasons if name in r.concept.sets)
            found[name] = Thick(told_by(reason).value, name, told(reason, "reason"), reason.onset, True)
    return Seen(tuple(found.values()), active.lacking)
