"""The suggestions of a card: what would clear its findings, as whole FHIR resources that a client can take over as they are.

An order that changes comes back whole and under its own id. A draft without an id cannot be pointed at: a client could only put
the changed one beside it, and the patient would have two. Then the change is told in words alone, and only additions are offered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from msgspec import Struct

from ivig.core.change import Change, OrderedDrug, OrderedTest
from ivig.core.order import Order
from ivig.core.remedy import Remedies, Remedy
from ivig.wire.card_markdown import one_line
from ivig.wire.remedy import additions, updated

Json = dict[str, Any]
LONGEST_LABEL = 80
_MOST = 6
_BESIDE = (OrderedTest, OrderedDrug)
_VERBS = ("order ", "measure ", "add ", "state ", "name ", "ask ")
_ASIDE = re.compile(r" \([^()]*\)")


class Offer(Struct, frozen=True):
    """Changes that belong together, in words, with the rules whose findings they clear. `whole`: all that can be cleared."""

    changes: tuple[Change, ...]
    says: str
    clears: tuple[str, ...]
    whole: bool = False

    @property
    def rewrites(self) -> bool:
        """Whether the order itself changes; else something is only asked for beside it."""
        return any(not isinstance(change, _BESIDE) for change in self.changes)

    @property
    def adds(self) -> bool:
        return any(isinstance(change, _BESIDE) for change in self.changes)


def suggestions(
    remedies: Remedies, order: Order, request: Callable[[str], Json], patient: str, grouped: bool
) -> tuple[list[Json], str]:
    """Suggestions, and how many of them may be chosen: `at-most-one` where they rewrite the order, else `any`.

    Args:
        request: the order's MedicationRequest as plain JSON by its path.
        patient: reference of the patient, for additions to an order that names none.
        grouped: the client knows `actionSelectionBehavior` (CDS Hooks 3.0).
    """
    if not remedies.single:
        return [], ""
    resource = request(remedies.path)
    beside = {"subject": {"reference": patient}} | resource if patient else resource
    offers = [offer for offer in _offers(remedies) if _possible(offer, order, beside)]
    alternatives = any(offer.rewrites for offer in offers)
    offers = _exclusive(offers) if alternatives else _independent(offers)
    best = _best(offers) if alternatives else None
    made = [_suggestion(offer, offer is best, (resource, beside), order, grouped) for offer in offers[:_MOST]]
    return made, ("at-most-one" if alternatives else "any") if made else ""


def label(says: str, whole: bool = False) -> str:
    """What a suggestion does, in less than `LONGEST_LABEL` characters, beginning with a verb."""
    says = one_line(says)
    while says != (says := _ASIDE.sub("", says)):
        pass  # asides within asides
    first, *rest = says.split("; ")
    said = _began(first)
    if whole:
        said = f"All of it: {said[:1].lower()}{said[1:]}"
    for place, part in enumerate(rest):
        more = f" and {len(rest) - place} more"
        if len(said) + len(part) + 2 >= LONGEST_LABEL - (len(more) if place < len(rest) - 1 else 0):
            said += more
            break
        said += f"; {part}"
    return said if len(said) < LONGEST_LABEL else said[: LONGEST_LABEL - 2].rstrip() + "…"


def _began(said: str) -> str:
    if said.startswith(_VERBS):
        return said[:1].upper() + said[1:]
    if said.startswith("at "):
        return f"Change the rate to {said.removeprefix('at ')}"
    if said.startswith("over "):
        return f"Change the time of an infusion to {said.removeprefix('over ')}"
    return f"Change to {'a ' if said.startswith('first dose') else ''}{said}"


# -- which ------------------------------------------------------------------------------------------------------------


def _offers(remedies: Remedies) -> Iterator[Offer]:
    """The remedies, each of the same words once, the one that clears most; the combined one last."""
    seen: dict[str, Offer] = {}
    for remedy in remedies.single:
        offer = Offer(remedy.changes, _says(remedy), remedy.clears)
        short = label(offer.says)
        if short not in seen or len(offer.clears) > len(seen[short].clears):
            seen[short] = offer
    yield from seen.values()
    whole = remedies.combined
    if whole is not None and all(whole.changes != offer.changes for offer in seen.values()):
        yield Offer(whole.changes, _says(whole), whole.clears, whole=True)


def _says(remedy: Remedy) -> str:
    return remedy.says + (f" ({remedy.because})" if remedy.because else "")


def _possible(offer: Offer, order: Order, resource: Json) -> bool:
    """Whether a client can do it: what is rewritten has an id and was read whole, what is added has a patient."""
    known = isinstance(resource.get("id"), str) and bool(resource["id"]) and not order.broken
    return (known or not offer.rewrites) and ("subject" in resource or not offer.adds)


def _exclusive(offers: Sequence[Offer]) -> list[Offer]:
    """Suggestions of which at most one is chosen: each way to change the order, all additions together, and all of it."""
    beside = [offer for offer in offers if not offer.rewrites and not offer.whole]
    rewriting = [offer for offer in offers if offer.rewrites]
    joined = [_joined(beside)] if beside else []
    made = [*(o for o in rewriting if not o.whole), *joined, *(o for o in rewriting if o.whole)]
    return made if len(made) <= _MOST else [*made[: _MOST - 1], made[-1]]


def _independent(offers: Sequence[Offer]) -> list[Offer]:
    """Suggestions of which any may be chosen: additions, those that share one made into one so that nothing is asked for twice."""
    groups: list[list[Offer]] = []
    for offer in (o for o in offers if not o.whole):
        mine = [g for g in groups if any(set(map(_added, o.changes)) & set(map(_added, offer.changes)) for o in g)]
        groups = [g for g in groups if g not in mine] + [[*(o for g in mine for o in g), offer]]
    made = [_joined(group) for group in groups]
    return made if len(made) <= _MOST else [*made[: _MOST - 1], _joined(made[_MOST - 1 :])]


def _joined(offers: Sequence[Offer]) -> Offer:
    changes = {_added(change): change for offer in offers for change in offer.changes}
    says = dict.fromkeys(part for offer in offers for part in offer.says.split("; "))
    return Offer(tuple(changes.values()), "; ".join(says), tuple(dict.fromkeys(r for o in offers for r in o.clears)))


def _added(change: Change) -> str:
    """What an addition asks for."""
    return f"{change.kind} {change.words()}"


def _best(offers: Sequence[Offer]) -> Offer | None:
    """The one that clears all that any of them clears, where only one does and there is something to choose from."""
    every = {rule for offer in offers for rule in offer.clears}
    full = [offer for offer in offers if set(offer.clears) == every]
    return full[0] if len(full) == 1 and len(offers) > 1 else None


# -- as FHIR ----------------------------------------------------------------------------------------------------------


def _suggestion(offer: Offer, recommended: bool, sent: tuple[Json, Json], order: Order, grouped: bool) -> Json:
    made: Json = {"label": label(offer.says, offer.whole), "uuid": str(uuid4())}
    if recommended:
        made["isRecommended"] = True
    if grouped:
        made["actionSelectionBehavior"] = "all"
    return made | {"actions": list(_actions(offer, *sent, order))}


def _actions(offer: Offer, resource: Json, drafted_from: Json, order: Order) -> Iterator[Json]:
    """One update of the order, and one creation of each addition."""
    beside = [change for change in offer.changes if isinstance(change, _BESIDE)]
    if offer.rewrites:
        added = {change.words() for change in beside}
        said = "; ".join(part for part in offer.says.split("; ") if part not in added) or offer.says
        yield {
            "type": "update",
            "description": _began(one_line(said)),
            "resource": updated(resource, order, offer.changes),
        }
    for change, draft in zip(beside, additions(drafted_from, order, beside), strict=True):
        said = change.words()
        yield {"type": "create", "description": f"{said[:1].upper()}{said[1:]}", "resource": draft}
