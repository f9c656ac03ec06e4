"""What a hook's call needs to be judged, gathered: its orders, and the part of the chart that the client did not send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from ivig.chart.fetch import Fetcher, medicines_named
from ivig.chart.queries import filled
from ivig.core.lexicon import Lexicon
from ivig.entrypoints.operation import Refused
from ivig.outbound import AllowList
from ivig.wire.decode import Item
from ivig.wire.hook import DISPATCH, Call
from ivig.wire.hook_orders import Draft, named_orders, orders_to_judge
from ivig.wire.prefetch import Answer, Query, State

_MEDICATION_REQUEST = "MedicationRequest/"


class Gathered(Struct, frozen=True):
    """What there is to judge by.

    Args:
        orders: those to judge; none when the hook is not about immune globulin.
        nameless: those that name no medication, passed over with a note.
        answers: what came for each query, with the call or fetched.
        more: what was fetched by reference.
    """

    orders: tuple[Draft, ...]
    nameless: tuple[Draft, ...] = ()
    answers: Mapping[str, Answer] = {}
    more: tuple[Item, ...] = ()


class ChartGatherer:
    """Gathers for one call after the other.

    Args:
        queries: of the discovery document.
        fetcher: None when nothing may be fetched.
        deadline_s: for all that is fetched for one call.
    """

    def __init__(
        self, queries: tuple[Query, ...], lexicon: Lexicon, fetcher: Fetcher | None, deadline_s: float
    ) -> None:
        self.queries, self.lexicon, self.fetcher, self.deadline_s = queries, lexicon, fetcher, deadline_s

    async def gather(self, call: Call, allowed: AllowList) -> Gathered:
        """The orders of a call and their chart.

        Raises:
            Refused: 412, the patient or the orders are needed and cannot be had.
        """
        until = asyncio.get_running_loop().time() + self.deadline_s
        reaches = self.fetcher is not None and bool(call.server) and allowed.allows(call.server)
        more: dict[str, Item] = {}
        told: dict[str, Answer] = {}
        missing = _orders_unsent(call)
        if missing:
            if not reaches:
                raise Refused(412, "not-found", _NO_ORDERS, "context.dispatchedOrders")
            told, more = await self._fetch(call, (), missing, until)
            if not all(reference in more for reference in missing):
                raise Refused(412, "not-found", _NO_ORDERS, "context.dispatchedOrders")
        orders = orders_to_judge(call, tuple(more.values()), self.lexicon)
        unknown = tuple(dict.fromkeys(o.medication for o in orders if o.medication and o.immune_globulin is None))
        if unknown and reaches:  # first what decides whether the hook is about immune globulin at all
            told, found = await self._fetch(call, (), unknown, until)
            more |= found
            orders = orders_to_judge(call, tuple(more.values()), self.lexicon)
        asked = frozenset(unknown if reaches else ())
        judged = tuple(o for o in orders if o.immune_globulin or o.medication in asked)
        nameless = tuple(o for o in orders if o not in judged)
        if not judged:
            return Gathered((), nameless)
        answers = {**call.prefetch, **told}
        if reaches:
            wanted = self._wanted(call)
            unsent = tuple(dict.fromkeys(o.medication for o in judged if o.medication and o.medication not in asked))
            fetched, found = await self._fetch(call, wanted, unsent, until)
            answers |= {key: _better(answers.get(key), answer) for key, answer in fetched.items()}
            more |= found
            unnamed = _unnamed(call, answers, more)
            if unnamed:  # of what was given before, and by what drug
                told, found = await self._fetch(call, (), unnamed, until)
                answers |= told
                more |= found
        patient = answers.get("patient")
        if patient is None or patient.state is State.ABSENT:
            raise Refused(412, "not-found", _NO_PATIENT, "prefetch.patient")
        return Gathered(judged, nameless, answers, tuple(more.values()))

    def _wanted(self, call: Call) -> tuple[tuple[Query, str], ...]:
        """The queries that the client did not run, or of which it sent a page alone, as far as the context fills them.

        What the client ran and did not get is not asked for again.
        """
        context = {"patientId": call.patient, "encounterId": call.encounter}
        sent = {key for key, answer in call.prefetch.items() if answer.state is not State.PARTIAL}
        unsent = tuple(query for query in self.queries if query.key not in sent)
        return filled(unsent, context)

    async def _fetch(
        self, call: Call, wanted: tuple[tuple[Query, str], ...], references: tuple[str, ...], until: float
    ) -> tuple[dict[str, Answer], dict[str, Item]]:
        if not wanted and not references:
            return {}, {}
        assert self.fetcher is not None
        return await self.fetcher.gather(wanted, call.server, call.token, call.patient, references, until)


_NO_PATIENT = (
    "The patient is needed, and was neither prefetched nor can be fetched: send the prefetch key patient, or a fhirServer that this "
    "service may call."
)
_NO_ORDERS = (
    "The dispatched orders are needed, and were neither prefetched nor could be fetched: send the prefetch key medications, or a "
    "fhirServer that this service may call."
)


def _orders_unsent(call: Call) -> tuple[str, ...]:
    """The medication requests that a dispatch names and that did not come with the call."""
    if call.hook != DISPATCH:
        return ()
    sent: set[str] = set()
    for item in named_orders(call, ()):
        sent.update((f"{_MEDICATION_REQUEST}{item.resource.id}", item.url))
    return tuple(n for n in call.named or () if n.startswith(_MEDICATION_REQUEST) and n not in sent)


def _unnamed(call: Call, answers: Mapping[str, Answer], more: Mapping[str, Item]) -> tuple[str, ...]:
    """The drugs of the chart that only a reference names."""
    held = [*call.drafts, *(item for answer in answers.values() for item in answer.items), *more.values()]
    return medicines_named(held, unless_displayed=True)


def _better(sent: Answer | None, fetched: Answer) -> Answer:
    """What is known of a query that the client had answered in part, and that was run again."""
    if sent is None or fetched.state is State.HELD or not sent.items:
        return fetched
    return max(sent, fetched, key=lambda answer: len(answer.items))


def states(answers: Mapping[str, Answer]) -> dict[str, str]:
    """What became of each query, for the record."""
    return {key: answer.state.value for key, answer in answers.items()}
