"""Which orders a hook is about: by status, by what is selected or dispatched, and by what they are of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ivig.core.lexicon import Lexicon
from ivig.wire import shapes
from ivig.wire.decode import Item
from ivig.wire.hook import DISPATCH, Call
from ivig.wire.medication import medication
from ivig.wire.read import to_judge
from ivig.wire.references import References, tail

# Every order of a hook is judged but those that are over, or never were.
STATUSES = frozenset({"draft", "active", "on-hold", "unknown", ""})


class Draft(Struct, frozen=True):
    """An order that the hook is about, by its place, and whether it is of immune globulin (`None`: it does not say of what)."""

    item: Item
    immune_globulin: bool | None
    medication: str = ""  # the reference of a Medication that was not sent and would say more


def named_orders(call: Call, more: Iterable[Item]) -> tuple[Item, ...]:
    """The medication requests that the hook is about: of the drafts those selected, or those dispatched, wherever they came from."""
    if call.hook != DISPATCH:
        held: Iterable[Item] = call.drafts
    else:
        medications = call.prefetch.get("medications")
        held = (*(medications.items if medications is not None else ()), *more)
    requests = (item for item in held if isinstance(item.resource, shapes.MedicationRequest))
    if call.named is None:
        return tuple(requests)
    wanted = frozenset(call.named)
    return tuple({i.resource.id or i.path: i for i in requests if not wanted.isdisjoint(names_of(i))}.values())


def orders_to_judge(call: Call, more: Iterable[Item], lexicon: Lexicon) -> tuple[Draft, ...]:
    """The orders that this hook judges, by status and intent: immune globulin, or not saying of what.

    Args:
        more: what was fetched by reference.
    """
    more = tuple(more)
    references = References((*call.drafts, *_medications(call), *more))
    found = []
    for item in named_orders(call, more):
        request = item.resource
        assert isinstance(request, shapes.MedicationRequest)
        if to_judge(request, STATUSES):
            ident, missing = medication(request, references, lexicon)
            if ident is not None or missing:
                found.append(Draft(item, True if ident is not None else None, _unsent(request, references)))
    return tuple(found)


def _medications(call: Call) -> Iterator[Item]:
    for answer in call.prefetch.values():
        yield from (item for item in answer.items if isinstance(item.resource, shapes.Medication))


def _unsent(request: shapes.MedicationRequest, references: References) -> str:
    """The reference of the Medication that an order names and nobody sent."""
    reference = request.medicationReference
    if reference is None or not reference.reference or reference.reference.startswith(("#", "urn:")):
        return ""
    if references.contained_or_sent(reference, request.contained) is not None:
        return ""
    return tail(reference.reference)


def names_of(item: Item) -> frozenset[str]:
    """What a resource is called by: `Type/id`, and its full URL."""
    resource = item.resource
    name = f"{type(resource).__name__}/{resource.id}" if resource.id else ""
    return frozenset(n for n in (name, item.url, tail(item.url)) if n)


def named_in(item: Item, names: frozenset[str]) -> bool:
    """Whether one of the names that a resource is called by is among these."""
    resource, url = item.resource, item.url
    if resource.id and f"{type(resource).__name__}/{resource.id}" in names:
        return True
    return bool(url) and (url in names or tail(url) in names)
