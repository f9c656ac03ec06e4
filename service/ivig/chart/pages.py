"""One query fetched, page after page, so far as it got: what has arrived is kept when time or room runs out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin

from msgspec import Struct, structs

from ivig import outbound
from ivig.chart.belonging import belongs, of_use
from ivig.wire import answers, shapes
from ivig.wire.decode import Item
from ivig.wire.prefetch import Answer, Query, State

if TYPE_CHECKING:
    import httpx

ANOTHER_PATIENT = "another patient"
UNREACHABLE, REDIRECTED, NOT_ALLOWED, TOO_LARGE = "not reachable", "redirected", "not allowed", "too large"
_LARGE = 128 * 1024  # bytes from which decoding is left to a thread, so that nobody else waits for it
_OK, _MOVED, _CLIENT, _SERVER = 200, 300, 400, 500
_GONE = (404, 410)
_WORDS = {401: answers.FORBIDDEN, 403: answers.FORBIDDEN, 408: answers.TIMEOUT, 429: answers.BUSY, 504: answers.TIMEOUT}


class Limits(Struct, frozen=True):
    """How much is taken at most: pages and resources of one query, bytes of one response and of one call."""

    pages: int = 10
    resources: int = 2_000
    response_bytes: int = 3 * 1024 * 1024
    bytes: int = 16 * 1024 * 1024


class Source(Struct):
    """Where one call fetches from, for whom, and what it has taken so far.

    Args:
        base: the FHIR base, without a slash at its end.
        headers: with the token. They go to addresses below the base, and nowhere else.
    """

    client: httpx.AsyncClient
    base: str
    headers: dict[str, str]
    patient: str
    limits: Limits
    allowed: outbound.AllowList
    taken: int = 0

    async def get(self, url: str) -> tuple[int, bytes, str]:
        """Status, body, and why there is no usable body ('' when there is one)."""
        if not self.allowed.allows(url):
            return 0, b"", NOT_ALLOWED
        if self.taken >= self.limits.bytes:
            return 0, b"", answers.INCOMPLETE
        room = min(self.limits.response_bytes, self.limits.bytes - self.taken)
        try:
            response = await outbound.get(self.client, url, self.headers, room)
        except Exception as fault:  # noqa: BLE001  (whatever a server or the way to it does, the call goes on without it)
            why = _why(fault)
            return 0, b"", answers.INCOMPLETE if why == TOO_LARGE and room < self.limits.response_bytes else why
        self.taken += len(response.content)
        return response.status_code, response.content, ""


def _why(fault: Exception) -> str:
    import httpx  # noqa: PLC0415  (slow to import, and loaded by now)

    if isinstance(fault, outbound.NotAllowed):
        return NOT_ALLOWED
    if isinstance(fault, outbound.TooLarge):
        return TOO_LARGE
    return answers.TIMEOUT if isinstance(fault, httpx.TimeoutException | TimeoutError) else UNREACHABLE


class Fetched:
    """The pages of one query that have arrived.

    Args:
        address: of the query, below the base.
        path: what its first page goes by in findings.
    """

    def __init__(self, query: Query, address: str, source: Source, path: str) -> None:
        self.query, self.source, self.path = query, source, path
        self._url = f"{source.base}/{address}"
        self._id = unquote(address.partition("?")[0].partition("/")[2].partition("/")[0])
        self._pages: list[Answer] = []
        self._stopped = ""  # why it stopped before the last page
        self._strangers = False
        self._done = False

    async def run(self) -> None:
        """Fetch until there is no further page, or one of the limits is reached. Raises nothing."""
        try:
            await self._follow()
        except Exception:  # noqa: BLE001  (one query must never take the others down; it is told as failed)
            self._stopped = answers.FAULT
        self._done = True

    def refuse(self, why: str) -> None:
        """Not to be fetched at all."""
        self._stopped, self._done = why, True

    async def _follow(self) -> None:
        url, asked, matches = self._url, set[str](), 0
        while url:
            asked.add(url)
            page = await self._page(url, matches)
            matches += sum(isinstance(i.resource, shapes.BY_TYPE[self.query.kind]) for i in page.items)
            self._pages.append(self._own(page))
            url = self._next(page, asked)

    async def _page(self, url: str, matches: int) -> Answer:
        status, body, why = await self.source.get(url)
        if why:
            return answers.failed(self.query, why, True)
        if status != _OK:
            return self._refused(status)
        path = self.path if not self._pages else f"{self.path}.page[{len(self._pages)}]"
        if len(body) < _LARGE:
            return answers.answer(self.query, body, path, True, matches)
        return await asyncio.to_thread(answers.answer, self.query, body, path, True, matches)

    def _refused(self, status: int) -> Answer:
        if status in _GONE and self.query.reads:
            return Answer(self.query.key, State.EMPTY, fetched=True)
        moved = REDIRECTED if _MOVED <= status < _CLIENT else answers.FAULT
        said = answers.NOT_FOUND if status in _GONE else moved
        return answers.failed(self.query, _WORDS.get(status, said), True)

    def _own(self, page: Answer) -> Answer:
        """The page with what is the patient's; of a read, the resource that was asked for and no other."""
        base, patient = self.source.base, self.source.patient
        if self.query.reads and any(i.resource.id != self._id for i in page.items):
            self._strangers = True
            return structs.replace(page, items=())
        held = [item for item in page.items if of_use(item.resource)]
        own = tuple(item for item in held if belongs(item.resource, base, patient))
        self._strangers |= len(own) < len(held)
        return structs.replace(page, items=own)

    def _next(self, page: Answer, asked: set[str]) -> str:
        """The address of the next page; '' when there is none, or none that may be followed."""
        if not page.more or self.query.reads:
            return ""
        try:
            url = urljoin(f"{self.source.base}/", page.more)
        except ValueError:
            url = ""
        limits, held = self.source.limits, sum(len(p.items) for p in self._pages)
        if url in asked or len(self._pages) >= limits.pages or held >= limits.resources:
            self._stopped = answers.INCOMPLETE
        elif not self.source.allowed.allows(url):
            self._stopped = NOT_ALLOWED
        return "" if self._stopped else url

    def answer(self) -> Answer:
        """What came of the query; when it is not done yet, its time is over."""
        pages, key = self._pages, self.query.key
        late = "" if self._done else answers.TIMEOUT
        if not pages:
            return answers.failed(self.query, late or self._stopped, True)
        first = pages[0]
        if first.state is State.FAILED:
            return first
        items = self._each_once()
        places = tuple(item.path for item in items)
        broken = tuple(b for page in pages for b in page.broken if b.path.startswith(places))
        if self.query.reads:
            if self._strangers:
                return answers.failed(self.query, ANOTHER_PATIENT, True)
            return structs.replace(first, items=items, fetched=True)
        wanting = [p.why or answers.INCOMPLETE for p in pages if p.state in (State.PARTIAL, State.FAILED)]
        why = next((w for w in (ANOTHER_PATIENT * self._strangers, late, *wanting, self._stopped) if w), "")
        state = State.PARTIAL if why else State.HELD if items else State.EMPTY
        return Answer(key, state, why, items, pages[-1].more, True, broken)

    def _each_once(self) -> tuple[Item, ...]:
        """Pages may overlap while somebody writes: what came twice is one."""
        found: dict[object, Item] = {}
        for page in self._pages:
            for item in page.items:
                named = (type(item.resource), item.resource.id) if item.resource.id else item.path
                found.setdefault(named, item)
        return tuple(found.values())
