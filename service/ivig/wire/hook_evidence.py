"""A call and its chart as the one body that every door reads; and its orders as the client wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from ivig.wire import shapes
from ivig.wire.dates import moment_at
from ivig.wire.decode import Decoded, Item
from ivig.wire.hook import Call
from ivig.wire.hook_orders import STATUSES, named_in, names_of
from ivig.wire.prefetch import REFERENCES, Answer, Query, State
from ivig.wire.read import Asked

_STEP = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?")


def evidence(
    call: Call,
    answers: Mapping[str, Answer],
    queries: Iterable[Query],
    more: Iterable[Item],
    only: frozenset[str],
    nameless: frozenset[str],
    now: datetime,
    zone: tzinfo,
) -> tuple[Decoded, Asked]:
    """A call and its chart as the body that every door reads.

    Args:
        answers: what came for each query, with the call or fetched.
        more: resources that were fetched by reference.
        only: paths of the orders to judge.
        nameless: of these, the paths of orders without a medication that are judged all the same.
        now: the time of the call, which is the day of judgement.
    """
    unavailable: list[tuple[str, str]] = []
    sections: set[str] = set()
    patient, failed = _patient(call, answers.get("patient"))
    items = [*call.drafts, patient]
    if failed:
        unavailable.append(("patient", failed))
    own = frozenset(name for item in call.drafts for name in names_of(item))
    broken = list(call.broken)
    for query in queries:
        answer = answers.get(query.key)
        if answer is None or query.key == "patient" or answer.state is State.ABSENT:
            continue
        broken.extend(answer.broken)
        if answer.state in (State.FAILED, State.PARTIAL):
            unavailable.append((query.key, answer.why or "incomplete"))
        if answer.state is not State.FAILED and query.section:
            sections.add(query.section)
        # A draft that is on record already, is edited: what the record holds of it is the older version.
        items.extend(item for item in answer.items if not named_in(item, own))
    beside = answers.get(REFERENCES)
    if beside is not None and beside.state in (State.FAILED, State.PARTIAL):
        unavailable.append(("medication", beside.why or "incomplete"))
    items.extend(item for item in more if not named_in(item, own))
    if call.encounter:
        _place(call)
    at = moment_at(now, zone)
    decoded = Decoded(tuple(items), tuple(broken), repaired=bool(broken))
    return decoded, Asked(
        moment=at,
        sections=frozenset(sections),
        statuses=STATUSES,
        only=only,
        zone=zone,
        now=now,
        unavailable=tuple(unavailable),
        nameless=nameless,
    )


def _patient(call: Call, answer: Answer | None) -> tuple[Item, str]:
    """The patient of the context, and why the record of it is not here. Without a record the id alone stands for it."""
    alone = Item("context.patientId", "", shapes.Patient(id=call.patient))
    if answer is None or answer.state in (State.ABSENT, State.EMPTY):
        return alone, ""
    for item in answer.items:
        if isinstance(item.resource, shapes.Patient) and item.resource.id in (call.patient, ""):
            item.resource.id = call.patient
            return item, ""
    return alone, answer.why if answer.state is State.FAILED else "another patient"


def _place(call: Call) -> None:
    """A draft that names no encounter is of the one the call comes from."""
    for item in call.drafts:
        if isinstance(item.resource, shapes.MedicationRequest) and item.resource.encounter is None:
            item.resource.encounter = shapes.Reference(reference=f"Encounter/{call.encounter}")


def requests_of(body: bytes) -> Callable[[str], dict[str, Any]]:
    """Gives the JSON of a resource at its path in the call, with decimals as they are; empty when it did not come with the call.

    The body is read when first asked.
    """
    held: list[Any] = []

    def at(path: str) -> dict[str, Any]:
        if not held:
            held.append(json.loads(body, parse_float=Decimal))
        node: Any = held[0]
        for name, place in _STEP.findall(path):
            node = node.get(name) if isinstance(node, dict) else None
            if place:
                node = node[int(place)] if isinstance(node, list) and int(place) < len(node) else None
        return node if isinstance(node, dict) else {}

    return at
