"""The CDS Hooks door: discovery, calls with orders in and cards out, and what became of the cards.

The answer waits for nothing but the judgement, and the part of the chart that has to be fetched under its deadline; what was shown goes to
the journal with one write.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread
from msgspec import structs
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ivig.entrypoints.discovery import SERVICE, discovery
from ivig.entrypoints.feedback import feedback
from ivig.entrypoints.hook_answer import Answered, Answerer
from ivig.entrypoints.hook_chart import ChartGatherer
from ivig.entrypoints.operation import Refused, body_of, check_media, faulted, fhir_response
from ivig.outbound import AllowList
from ivig.store.service import StoreService
from ivig.trust.clients import Client
from ivig.trust.doorkeeper import Doorkeeper, NotTrusted, TooMany
from ivig.wire.decode import Unreadable
from ivig.wire.hook import HOOKS, read_call
from ivig.wire.outcome import encode, refusal
from ivig.wire.prefetch import Query

_JSON = "application/json; charset=utf-8"
_ON_THE_LOOP = 200_000  # a larger body is judged on a thread, so that nobody waits behind it
_FEW = 20  # orders; more are judged on a thread
_MOST_DRAFTS = 1_000

Handler = Callable[[Request, Client], Awaitable[Response]]


class Hooks:
    """The endpoints below `/cds-services`.

    Args:
        asked: the queries of the discovery document.
        doorkeeper: knows the clients.
        most: largest body in bytes.
        base: the public address of the service; empty for the one a call came to.
        servers: FHIR servers that may be asked, whoever calls.
    """

    def __init__(
        self,
        asked: tuple[Query, ...],
        answerer: Answerer,
        gatherer: ChartGatherer,
        doorkeeper: Doorkeeper,
        store: StoreService,
        most: int,
        base: str = "",
        servers: tuple[str, ...] = (),
    ) -> None:
        self.asked = asked
        self.answerer, self.gatherer, self.doorkeeper, self.store = answerer, gatherer, doorkeeper, store
        self.most, self.base, self.servers = most, base.rstrip("/"), servers
        self._allowed: dict[str, AllowList] = {}

    async def discover(self, request: Request) -> Response:
        """`GET /cds-services`."""
        return await self._guarded(request, self._discovery)

    async def call(self, request: Request) -> Response:
        """`POST /cds-services/{id}`."""
        return await self._guarded(request, self._call)

    async def feed_back(self, request: Request) -> Response:
        """`POST /cds-services/{id}/feedback`."""
        return await self._guarded(request, self._feedback)

    async def _guarded(self, request: Request, handler: Handler) -> Response:
        """Who it is first; then the handler, whose every fault is an answer."""
        try:
            base = self._base(request)
            client = await self.doorkeeper.admit(request.headers.get("authorization", ""), base + request.url.path)
            return await handler(request, client)
        except NotTrusted:
            return _unknown_caller()
        except TooMany as many:
            text = "Too many calls in a minute; try again later."
            return fhir_response(refusal("throttled", text), 429, {"Retry-After": str(many.retry_after)})
        except Refused as refused:
            return refused.response()
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as fault:  # noqa: BLE001  (told by its kind alone: its text may hold a patient's data)
            return faulted(request.url.path, fault)

    def _base(self, request: Request) -> str:
        return self.base or f"{request.url.scheme}://{request.url.netloc}"

    async def _discovery(self, request: Request, client: Client) -> Response:
        return _answer(discovery(self.asked, client))

    async def _call(self, request: Request, client: Client) -> Response:
        _check_service(request)
        check_media(request)
        started = time.perf_counter()
        body = await body_of(request, self.most)
        large = len(body) > _ON_THE_LOOP
        try:
            call = await to_thread.run_sync(self._read, body) if large else self._read(body)
        except Unreadable as fault:
            raise Refused(400, fault.code, fault.why, fault.place) from None
        if call.hook not in HOOKS:
            raise Refused(400, "not-supported", f"This service answers {', '.join(HOOKS)}.", "hook")
        if len(call.drafts) > _MOST_DRAFTS:
            raise Refused(
                413, "too-costly", f"More than {_MOST_DRAFTS} draft orders in one call.", "context.draftOrders"
            )
        gathered = await self.gatherer.gather(call, self._allow(client))
        arguments = (call, gathered, body, client, self._base(request))
        if large or len(gathered.orders) > _FEW:
            answered = await to_thread.run_sync(self.answerer.answer, *arguments)
        else:
            answered = self.answerer.answer(*arguments)
        self._record(answered, started)
        return _answer(answered.body)

    def _read(self, body: bytes) -> Any:
        return read_call(body, self.gatherer.queries)

    def _allow(self, client: Client) -> AllowList:
        known = self._allowed.get(client.id)
        if known is None:
            known = self._allowed[client.id] = AllowList((*self.servers, *client.fhir_servers))
        return known

    def _record(self, answered: Answered, started: float) -> None:
        if answered.record is not None:
            took = round((time.perf_counter() - started) * 1e3, 3)
            self.store.recorder.record(structs.replace(answered.record, took_ms=took))

    async def _feedback(self, request: Request, client: Client) -> Response:
        _check_service(request)
        check_media(request)
        status, told = await feedback(await body_of(request, self.most), client.id, self.store)
        headers = {"Retry-After": "30"} if status == _UNAVAILABLE else None
        return fhir_response(told, status, headers) if "resourceType" in told else _answer(told, status)


_UNAVAILABLE = 503


def _check_service(request: Request) -> None:
    """That the service of the address is ours.

    Raises:
        Refused: 404.
    """
    if request.path_params.get("id") != SERVICE:
        raise Refused(404, "not-found", f"There is no such service; there is {SERVICE}.")


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    return Response(encode(body), status, media_type=_JSON)


def _unknown_caller() -> Response:
    """The same for every reason: who calls without a right learns nothing from it."""
    return fhir_response(refusal("login", "Not authorised."), 401, {"WWW-Authenticate": "Bearer"})
