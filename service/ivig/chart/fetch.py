"""What a call lacks, fetched from the EHR's FHIR server: everything at once, under one deadline by the clock.

Nothing waits for the slowest: what has not arrived at the deadline is told as timed out, and the call goes on with the rest. No answer of a
server, however wrong, raises; each becomes an answer that says how much of it can be relied on.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from ivig import outbound
from ivig.chart.pages import Fetched, Limits, Source
from ivig.wire import answers, shapes
from ivig.wire.decode import Item
from ivig.wire.prefetch import REFERENCES, Answer, Query, State
from ivig.wire.references import tail

if TYPE_CHECKING:
    import httpx


_PATH = "fetched"
_READ_BY_REFERENCE = frozenset({"Medication", "MedicationRequest", "Encounter"})
_GRACE_S = 0.03  # how long what was cut off may take to close its connections
_TOKEN = re.compile(r"[\x21-\x7e]+")
_ACCEPT = "application/fhir+json"
_TELLTALES = ("httpx", "httpcore")  # they log each address, and patients' ids stand in these


class Fetcher:
    """Fetches charts. One for a process: it keeps the connections to the servers.

    Args:
        client_factory: makes the client that all fetching goes through (`ivig.outbound.client`), when first needed.
        deadline_s: seconds that a call waits for all that it fetches; 0 fetches nothing.
        limits: how much is taken at most.
    """

    def __init__(
        self, client_factory: Callable[[], httpx.AsyncClient], deadline_s: float = 0.4, limits: Limits | None = None
    ) -> None:
        self._make, self._client = client_factory, None
        self._deadline, self._limits = deadline_s, limits or Limits()
        self._closing: set[asyncio.Task[None]] = set()

    _client: httpx.AsyncClient | None

    async def gather(
        self,
        wanted: Sequence[tuple[Query, str]],
        base: str,
        token: str,
        patient: str,
        references: Sequence[str] = (),
        until: float | None = None,
    ) -> tuple[dict[str, Answer], dict[str, Item]]:
        """An answer for each query, and the resources that were asked for by reference, by their references as given.

        What is not the patient's is left out. Where references were asked for, the answer of the key `references` tells of them all.

        Args:
            wanted: queries with their addresses below `base`, filled.
            base: the FHIR server; whether it may be called at all was decided before.
            token: sent as `Authorization: Bearer` to addresses below `base`; '' for none.
            patient: the id of the patient.
            references: `Type/id`, also with `base` before it or a version after it.
            until: the deadline by the loop's clock, for a second round in the time of a first; by default a full one from now.
        """
        clock = asyncio.get_running_loop()
        until = clock.time() + self._deadline if until is None else until
        source = self._source(base, token, patient)
        fetched = {query.key: Fetched(query, address, source, f"{_PATH}.{query.key}") for query, address in wanted}
        reads = _reads(references, source)
        everything = (*fetched.values(), *reads.values())
        tasks: list[asyncio.Task[None]] = []
        if not _TOKEN.fullmatch(token or "none"):
            for one in everything:
                one.refuse(answers.FORBIDDEN)  # no server would take it
        elif until > clock.time():
            tasks = [asyncio.create_task(one.run()) for one in everything]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=max(until - clock.time(), 0))
        finally:
            await self._end(tasks)
        told = {key: one.answer() for key, one in fetched.items()}
        read = {reference: one.answer() for reference, one in reads.items()}
        if references:
            told[REFERENCES] = _together(read, len(set(references)))
        return told, {reference: a.items[0] for reference, a in read.items() if a.state is State.HELD}

    def open(self) -> httpx.AsyncClient:
        """Make the client, if it is not made yet: at start-up, so that the first call does not wait for it."""
        if self._client is None:
            self._client = self._make()
            for name in _TELLTALES:
                logging.getLogger(name).setLevel(logging.WARNING)
        return self._client

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _source(self, base: str, token: str, patient: str) -> Source:
        base = base.rstrip("/")
        headers = {"Accept": _ACCEPT} | ({"Authorization": f"Bearer {token}"} if token else {})
        return Source(self.open(), base, headers, patient, self._limits, outbound.AllowList((base,)))

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Cut off what still runs. One that is slow to close its connection is not waited for, and not forgotten."""
        late = [task for task in tasks if not task.done()]
        for task in late:
            task.cancel()
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        if late:
            await asyncio.wait(late, timeout=_GRACE_S)


def medicines_named(items: Iterable[Item], unless_displayed: bool = False) -> tuple[str, ...]:
    """The Medications that requests and administrations name by reference and that did not come along, each once.

    Args:
        unless_displayed: not those whose reference says in words what they are.
    """
    items = tuple(items)
    held = {f"Medication/{i.resource.id}" for i in items if isinstance(i.resource, shapes.Medication)}
    named = [
        reference.reference
        for item in items
        for medicine in (getattr(item.resource, "medication", None),)
        for reference in (getattr(item.resource, "medicationReference", None), medicine and medicine.reference)
        if reference is not None and not (unless_displayed and reference.display)
    ]
    return tuple(dict.fromkeys(n for n in named if n and not n.startswith(("#", "urn:")) and tail(n) not in held))


def _reads(references: Sequence[str], source: Source) -> dict[str, Fetched]:
    """A read for each reference to a type that is read so; those to other types and other servers have none."""
    found: dict[str, Fetched] = {}
    for place, reference in enumerate(dict.fromkeys(references)):
        kind, _, rest = reference.removeprefix(f"{source.base}/").partition("/")
        name, _, version = rest.partition("/_history/")
        if kind not in _READ_BY_REFERENCE or not name.strip(".") or "/" in name + version:
            continue
        address = f"{kind}/{quote(name, safe='')}" + (f"/_history/{quote(version, safe='')}" if version else "")
        query = Query(REFERENCES, address, kind)
        found[reference] = Fetched(query, address, source, f"{_PATH}.{REFERENCES}[{place}]")
    return found


def _together(read: Mapping[str, Answer], asked: int) -> Answer:
    """One answer for all references: there, there in part, or not had."""
    items = tuple(item for a in read.values() for item in a.items)
    broken = tuple(b for a in read.values() for b in a.broken)
    wanting = [a.why for a in read.values() if a.state is State.FAILED]
    if len(read) < asked:
        wanting.append("not allowed")
    if wanting:
        state = State.PARTIAL if items else State.FAILED
        return Answer(REFERENCES, state, wanting[0] or answers.INCOMPLETE, items, "", True, broken)
    return Answer(REFERENCES, State.HELD if items else State.EMPTY, "", items, "", True, broken)
